import type { SupervisorEvent } from '../machines/supervisor/context.ts';

/**
 * SIGTERM, SIGINT and SIGHUP drain; a second one cuts the drain short. SIGUSR2 drains for an upgrade.
 * SIGUSR1 stays Node's own (it opens the debugger). A broken pipe is no reason to leave: SIGPIPE is ignored by Node.
 *
 * @returns a function that takes the handlers away again
 */
export function listenToSignals(send: (event: SupervisorEvent) => void): () => void {
  const handlers = new Map<NodeJS.Signals, () => void>([['SIGUSR2', () => send({ type: 'signal.upgrade' })]]);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    handlers.set(signal, () => send({ type: 'signal.terminate', signal }));
  }
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
