import { HANGS_AFTER_MS, type PulseEvent } from '../../machines/pulse/machine.ts';

/**
 * Tells machines/pulse when one call hangs, and when it is over then.
 * @returns what must be called when the call has ended
 */
export function tellIfItHangs(name: string, tell: (event: PulseEvent) => void): () => void {
  let hangs = false;
  const timer = setTimeout(() => {
    hangs = true;
    tell({ type: 'call.hangs', name });
  }, HANGS_AFTER_MS);
  return () => {
    clearTimeout(timer);
    if (hangs) tell({ type: 'call.ended' });
  };
}
