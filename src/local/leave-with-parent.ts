/** Preloaded into the runtime of `npm run dev`: it leaves when the process that started it is gone, killed or not. */
import process from 'node:process';

process.stdin.resume().once('end', () => process.kill(process.pid, 'SIGTERM'));
// It must not keep the runtime from ending by itself.
if ('unref' in process.stdin) process.stdin.unref();
