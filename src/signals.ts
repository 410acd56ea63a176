import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { SupervisorEvent } from '../machines/supervisor/context.ts';

/**
 * SIGTERM, SIGINT and SIGHUP drain; a second one cuts the drain short. SIGUSR2 drains for an upgrade.
 * SIGUSR1 stays Node's own (it opens the debugger). A broken pipe is no reason to leave: SIGPIPE is ignored by Node.
 * The handlers stay to the end: without them a second signal would kill the process while it says its last words.
 * Under nohup SIGHUP does nothing, because the process is to outlive the terminal.
 */
export function listenToSignals(send: (event: SupervisorEvent) => void): void {
  process.on('SIGUSR2', () => send({ type: 'signal.upgrade' }));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => send({ type: 'signal.terminate', signal }));
  }
  const outlivesTerminal = isUnderNohup();
  process.on('SIGHUP', () => {
    if (!outlivesTerminal) send({ type: 'signal.terminate', signal: 'SIGHUP' });
  });
}

/**
 * Node resets every ignored signal as it starts, so nohup is known by its traces: bash and zsh name the command that
 * they ran in `_`, and nohup puts a standard input that only takes writing in place of a terminal.
 */
function isUnderNohup(): boolean {
  return basename(process.env['_'] ?? '') === 'nohup' || isWriteOnly(0);
}

const ACCESS_MODE = 0o3;
const WRITE_ONLY = 0o1;

/** False where there is no /proc. */
function isWriteOnly(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*(?<octal>[0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'));
    return (Number.parseInt(flags?.groups?.octal ?? '0', 8) & ACCESS_MODE) === WRITE_ONLY;
  } catch {
    return false;
  }
}
