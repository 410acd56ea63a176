import { Fault } from '../../machines/shared/fault.ts';

/** Another runtime has STATE_DIR. */
export class JournalLocked extends Error {
  override readonly name = 'JournalLocked';

  /** @param pid of the other runtime, null when it cannot be told */
  constructor(stateDir: string, pid: number | null) {
    const owner = pid === null ? 'another runtime' : `another runtime (process ${pid})`;
    super(`STATE_DIR (${stateDir}) is in use by ${owner}: stop it, or give this one a directory of its own.`);
  }
}

/** The journal cannot be opened, read or written. The message is one sentence for an operator. */
export class JournalUnavailable extends Fault {
  override readonly name = 'JournalUnavailable';

  constructor(message: string, options: { cause?: unknown } = {}) {
    super('journalUnavailable', message, options);
  }
}

/** @param error what the file system or SQLite threw */
export function unavailable(stateDir: string, error: unknown): Error {
  if (error instanceof JournalLocked || error instanceof JournalUnavailable) return error;
  // The file system repeats the path after a comma.
  const reason = error instanceof Error ? error.message.replace(/, .*/s, '') : String(error);
  return new JournalUnavailable(
    `The journal in STATE_DIR (${stateDir}) cannot be used: ${reason}. ` +
      'STATE_DIR must be a directory that the runtime may write to, with space left.',
    { cause: error },
  );
}
