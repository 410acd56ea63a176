// From its first moment the process may not write a byte to any file, as on a full disk.
import { execFileSync } from 'node:child_process';

execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=0:unlimited']);
