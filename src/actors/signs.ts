import type { Parent } from '../../machines/shared/parent.ts';
import type { Sign } from '../../machines/shared/child-messages.ts';

/** The machine needs to know that something arrives, not each of a thousand pieces; in milliseconds. */
const AT_MOST_EVERY_MS = 500;

export interface Signs {
  onSign: () => void;
  /** What arrives after the reply is not a sign of the run. */
  end: () => void;
}

/** Tells the machine of a round that the gateway sends something. */
export function tellSigns(machine: Parent<Sign>, signal: AbortSignal): Signs {
  let isOver = false;
  // The machine has just begun to listen: a sign right after the request would be no news.
  let toldAt = performance.now();
  return {
    onSign() {
      const now = performance.now();
      if (isOver || signal.aborted || now - toldAt < AT_MOST_EVERY_MS) return;
      toldAt = now;
      machine.send({ type: 'run.sign' });
    },
    end() {
      isOver = true;
    },
  };
}
