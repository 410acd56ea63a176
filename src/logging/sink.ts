import { Writable } from 'node:stream';

export interface Sink {
  /** For winston: it takes every line at once. */
  stream: Writable;
  /** Settles when the stream has taken every line so far, or is broken, or the time is up. */
  flush: () => Promise<void>;
}

const isGone = (stream: Writable): boolean =>
  stream.destroyed || stream.writableEnded || stream.errored !== null;

/**
 * A stream behind which the real one may break. Once nobody reads the log any more (EPIPE), lines are dropped: the
 * work goes on, and a broken Writable would keep every further line in memory.
 *
 * @param flushMs the longest that a flush waits
 */
export function createSink(target: Writable, flushMs: number): Sink {
  target.on('error', () => {
    // An error without a listener would end the process; there is nowhere left to tell of it.
  });

  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      if (!isGone(target)) target.write(line);
      done();
    },
  });

  const flush = (): Promise<void> =>
    new Promise((settle) => {
      if (isGone(target)) {
        settle();
        return;
      }
      const timer = setTimeout(settle, flushMs);
      // Called in the order of the writes, and with an error when the stream breaks.
      target.write('', () => {
        clearTimeout(timer);
        settle();
      });
    });

  return { stream, flush };
}
