import type { SupervisorEvent } from '../machines/supervisor/context.ts';

/**
 * SIGTERM, SIGINT and SIGHUP drain; a second one cuts the drain short. SIGUSR2 drains for an upgrade.
 * SIGUSR1 stays Node's own (it opens the debugger). A broken pipe is no reason to leave: SIGPIPE is ignored by Node.
 * The handlers stay to the end: without them a second signal would kill the process while it says its last words.
 */
export function listenToSignals(send: (event: SupervisorEvent) => void): void {
  process.on('SIGUSR2', () => send({ type: 'signal.upgrade' }));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => send({ type: 'signal.terminate', signal }));
  }
}
