/**
 * The local Mission Control backend: `node src/dev/backend/main.ts [--port N] [--extra-tasks N]`. A process of its
 * own, for convex-test takes the globals over. Exit codes: 0 told to stop, 78 a setting is wrong, 71 it cannot serve.
 */
import process from 'node:process';
import { readSettings } from './options.ts';
import type { BackendSettings } from './options.ts';
import { startServing } from './start.ts';

const log = (line: string): void => {
  process.stderr.write(`backend: ${line}\n`);
};

function settingsOrExit(): BackendSettings {
  try {
    return readSettings(process.argv.slice(2), process.env);
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
    process.exit(78);
  }
}

const settings = settingsOrExit();
try {
  const backend = await startServing(settings, log);
  process.stdout.write(`${JSON.stringify(backend.ready)}\n`);
  log(`serving ${backend.ready.url}; data is in memory and gone when this process ends`);
  const stop = (): void => {
    backend.close();
    process.stdin.destroy();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (settings.exitWithStdin) process.stdin.resume().once('end', stop);
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exitCode = 71;
}
