import { backoff } from '../../machines/shared/backoff.ts';
import { JournalUnavailable } from './errors.ts';
import type { DiskJournal } from './journal.ts';

/** How long until the disk is tried again, in milliseconds. */
const RETRY = { baseMs: 1_000, capMs: 15_000 };

export interface GuardedDisk {
  /**
   * For writes. After one failure the disk is left alone until it was found well again: a write that waits for a
   * lock stops the whole process for a second.
   * @throws JournalUnavailable at once while there is trouble
   */
  write<T>(work: (disk: DiskJournal) => T): T;
  /** For reads, which mostly work while writes do not. @throws JournalUnavailable */
  read<T>(work: (disk: DiskJournal) => T): T;
  /** Settles when what was written outlives a power cut. @throws JournalUnavailable at once while there is trouble */
  synced(): Promise<void>;
  close(): void;
}

/**
 * @param open opens the journal on the disk; called again where it failed
 * @param recovered called with the disk when it takes writes again; when this fails the trouble goes on
 * @param changed told of trouble, each time that the disk is tried, and of its end
 */
export function guardDisk(
  open: () => DiskJournal,
  recovered: (disk: DiskJournal) => void,
  changed: (trouble: JournalUnavailable | null) => void,
): GuardedDisk {
  let disk: DiskJournal | null = null;
  let trouble: JournalUnavailable | null = null;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  function note(error: JournalUnavailable): void {
    trouble = error;
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(tryAgain, backoff(failures, RETRY, Math.random())).unref();
    changed(trouble);
  }

  function guard<T>(work: (disk: DiskJournal) => T): T {
    if (disk === null && trouble !== null) throw trouble;
    try {
      return work((disk ??= open()));
    } catch (error) {
      if (error instanceof JournalUnavailable && trouble === null) note(error);
      throw error;
    }
  }

  function tryAgain(): void {
    try {
      disk ??= open();
      disk.check();
      recovered(disk);
    } catch (error) {
      // Another runtime may have taken STATE_DIR since: that is trouble like any other by now.
      note(error instanceof JournalUnavailable ? error : new JournalUnavailable(String(error)));
      return;
    }
    trouble = null;
    failures = 0;
    changed(null);
  }

  return {
    read: guard,
    write(work) {
      if (trouble !== null) throw trouble;
      return guard(work);
    },
    async synced() {
      if (trouble !== null) throw trouble;
      try {
        await disk?.synced();
      } catch (error) {
        if (error instanceof JournalUnavailable) note(error);
        throw error;
      }
    },
    close() {
      if (trouble !== null) tryAgain();
      clearTimeout(timer);
      try {
        disk?.close();
      } catch (error) {
        // The file's lock goes with the process, and every write was made when it was asked for.
        if (!(error instanceof JournalUnavailable)) throw error;
      }
    },
  };
}
