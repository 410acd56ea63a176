import { Fault } from '../../machines/shared/fault.ts';
import { openDisk, type Disk, type DiskOptions } from './disk.ts';
import { JournalLocked, unavailable } from './errors.ts';

/** What must survive a restart: values by their keys, in memory and on the disk. */
export interface Store {
  /** Keys of everything that is kept, in no order. */
  keys(): string[];
  /** The value as parsed JSON, or null. Reads come from memory and never fail. */
  read(key: string): unknown;
  /**
   * Keeps a value that JSON can hold: in memory at once, and on the disk before the call returns (it outlives a
   * SIGKILL). If the disk fails, the value stays in memory until the disk recovers. Never throws.
   */
  put(key: string, value: unknown): void;
  /** Drops a value. The disk follows within a second or so: a crash before that may bring the value back. */
  remove(key: string): void;
  /**
   * Settles when everything put so far outlives a power cut. Callers at the same time share one fdatasync.
   * Rejects with a Fault (journalUnavailable) while something is not on the disk, unless the mode is `optional`.
   */
  synced(): Promise<void>;
  /** Tries the disk again and writes what it has not taken. Rejects with a Fault (journalUnavailable) in either mode. */
  catchUp(): Promise<void>;
  /** Told when the disk fails, in sentences for an operator; at once if it has failed before. The last listener counts. */
  onFailure(listener: (problem: string) => void): void;
  /** Writes what the disk has not taken, and gives STATE_DIR back. */
  close(): void;
}

export interface StoreOptions extends Omit<DiskOptions, 'now'> {
  /** The setting JOURNAL: may runs start while the disk fails? */
  mode: 'required' | 'optional';
  /** Milliseconds since the epoch; `Date.now` when absent. */
  now?: () => number;
}

const CONSEQUENCE = {
  required: 'No run starts until it can be written.',
  optional: 'Delivery goes on without it (JOURNAL=optional): a crash may have runs repeated.',
};

/** The disk is tidied up so long after the last change, in milliseconds. */
const QUIET_MS = 1_000;

/** Nobody waits for a removal, and one statement for several is cheaper. */
const REMOVED_TOGETHER = 16;

/**
 * @throws JournalLocked when another runtime has STATE_DIR; Fault (journalUnavailable) when the disk cannot be used,
 *   unless the mode is `optional`
 */
export function openStore({ mode, now = Date.now, ...options }: StoreOptions): Store {
  const { stateDir, onNotice } = options;
  const texts = new Map<string, string>();
  /** Keys for which the disk has something else than memory. */
  const dirty = new Set<string>();
  let disk: Disk | null = null;
  let failure: Fault | null = null;
  let tell: (problem: string) => void = () => undefined;

  function fail(error: unknown): Fault {
    const { message } = unavailable(stateDir, error);
    failure = new Fault('journalUnavailable', `${message} ${CONSEQUENCE[mode]}`, { cause: error });
    tell(failure.message);
    return failure;
  }

  /** What is in memory already is newer than what the disk has. */
  function connect(lockWaitMs: number): Disk {
    const opened = openDisk({ ...options, now, lockWaitMs });
    for (const [key, text] of opened.entries()) {
      if (!texts.has(key) && !dirty.has(key)) texts.set(key, text);
    }
    return opened;
  }

  function flush(to: Disk): void {
    for (const key of dirty) {
      const text = texts.get(key);
      if (text === undefined) continue;
      to.write(key, text);
      dirty.delete(key);
    }
    if (dirty.size > 0) to.remove([...dirty]);
    dirty.clear();
  }

  function tryAgain(): Disk {
    try {
      disk ??= connect(0);
      disk.check();
      flush(disk);
      failure = null;
      return disk;
    } catch (error) {
      throw fail(error);
    }
  }

  /** A disk that has failed is left to `catchUp`: a write may stop the whole process for a second. */
  function onDisk(work: (disk: Disk) => void): void {
    if (disk === null || failure !== null) return;
    try {
      work(disk);
    } catch (error) {
      fail(error);
    }
  }

  const sync = (from: Disk): Promise<void> =>
    from.synced().catch((error: unknown) => {
      throw fail(error);
    });

  try {
    disk = connect(options.lockWaitMs);
  } catch (error) {
    const fault = unavailable(stateDir, error);
    if (mode === 'required' || fault instanceof JournalLocked) throw fault;
    fail(fault);
  }
  const quiet = setTimeout(() => {
    onDisk((one) => {
      flush(one);
      for (const key of one.tidy()) texts.delete(key);
    });
  }, QUIET_MS).unref();

  return {
    keys: () => [...texts.keys()],
    read(key) {
      const text = texts.get(key);
      return text === undefined ? null : (JSON.parse(text) as unknown);
    },
    put(key, value) {
      const text = JSON.stringify(value);
      texts.set(key, text);
      dirty.add(key);
      onDisk((one) => {
        one.write(key, text);
        dirty.delete(key);
      });
      quiet.refresh();
    },
    remove(key) {
      if (!texts.delete(key)) return;
      dirty.add(key);
      if (dirty.size >= REMOVED_TOGETHER) onDisk(flush);
      quiet.refresh();
    },
    async synced() {
      if (disk !== null && failure === null) await sync(disk).catch(() => undefined);
      if (failure !== null && mode === 'required') throw failure;
    },
    async catchUp() {
      await sync(tryAgain());
    },
    onFailure(listener) {
      tell = listener;
      if (failure !== null) tell(failure.message);
    },
    close() {
      clearTimeout(quiet);
      try {
        tryAgain();
      } catch (error) {
        const { message } = unavailable(stateDir, error);
        onNotice(
          'journal.unwritten',
          `${message} Lost with this process: the last changes of ${dirty.size} entries.`,
        );
      }
      disk?.close();
    },
  };
}
