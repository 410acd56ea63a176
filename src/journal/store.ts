import { Fault } from '../../machines/shared/fault.ts';
import { StateDirInUse, unavailable } from '../state-dir/errors.ts';
import { takeStateDir } from '../state-dir/take.ts';
import { openDisk, type Disk } from './disk.ts';

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

export interface StoreOptions {
  stateDir: string;
  /** How long to wait until another process leaves STATE_DIR, in milliseconds. */
  lockWaitMs: number;
  /** The setting JOURNAL: may runs start while the disk fails? */
  mode: 'required' | 'optional';
  /** Milliseconds since the epoch; `Date.now` when absent. */
  now?: () => number;
  /** Told what an operator should know: an event of the log, and a sentence. */
  onNotice: (event: string, message: string) => void;
}

const CONSEQUENCE = {
  required: 'No run starts until it can be written.',
  optional: 'Delivery goes on without it (JOURNAL=optional): a crash may have runs repeated.',
};

/** Nobody waits for a removal, and one statement for several rows is cheaper. */
const REMOVED_TOGETHER = 16;

/** How long after the last change the disk is tidied up, in milliseconds. */
const QUIET_MS = 1_000;

/**
 * @throws StateDirInUse when another runtime has STATE_DIR; Fault (journalUnavailable) when the disk cannot be used,
 *   unless the mode is `optional`
 */
export function openStore({ stateDir, lockWaitMs, mode, now = Date.now, onNotice }: StoreOptions): Store {
  const texts = new Map<string, string>();
  /** Keys for which the disk has something else than memory. */
  const dirty = new Set<string>();
  let leave: (() => void) | null = null;
  let disk: Disk | null = null;
  let failure: Fault | null = null;
  let tell: (problem: string) => void = () => undefined;

  function fail(error: unknown): void {
    const { message } = unavailable(stateDir, error);
    failure = new Fault('journalUnavailable', `${message} ${CONSEQUENCE[mode]}`, { cause: error });
    tell(failure.message);
  }

  /** What is in memory already is newer than what the disk has. */
  function connect(waitMs: number): Disk {
    leave ??= takeStateDir(stateDir, waitMs, onNotice);
    const opened = openDisk(stateDir, now, onNotice);
    for (const [key, text] of opened.entries()) {
      if (!texts.has(key) && !dirty.has(key)) texts.set(key, text);
    }
    return opened;
  }

  function flush(to: Disk): void {
    for (const key of dirty) {
      const text = texts.get(key);
      if (text !== undefined) write(to, key, text);
    }
    to.remove([...dirty]);
    dirty.clear();
  }

  function write(to: Disk, key: string, text: string): void {
    to.write(key, text);
    dirty.delete(key);
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

  async function sync(): Promise<void> {
    if (disk !== null && failure === null) await disk.synced().catch(fail);
  }

  function tryAgain(): void {
    try {
      disk ??= connect(0);
      disk.check();
      flush(disk);
      failure = null;
    } catch (error) {
      fail(error);
    }
  }

  function giveBack(): void {
    disk?.close();
    leave?.();
  }

  try {
    disk = connect(lockWaitMs);
  } catch (error) {
    if (mode === 'required' || error instanceof StateDirInUse) {
      giveBack();
      throw unavailable(stateDir, error);
    }
    fail(error);
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
      onDisk((one) => write(one, key, text));
      quiet.refresh();
    },
    remove(key) {
      if (!texts.delete(key)) return;
      dirty.add(key);
      if (dirty.size >= REMOVED_TOGETHER) onDisk(flush);
      quiet.refresh();
    },
    async synced() {
      await sync();
      if (failure !== null && mode === 'required') throw failure;
    },
    async catchUp() {
      tryAgain();
      await sync();
      if (failure !== null) throw failure;
    },
    onFailure(listener) {
      tell = listener;
      if (failure !== null) tell(failure.message);
    },
    close() {
      clearTimeout(quiet);
      tryAgain();
      if (failure !== null) {
        onNotice(
          'journal.unwritten',
          `${failure.message} Lost with this process: the last changes of ${dirty.size} entries.`,
        );
      }
      giveBack();
    },
  };
}
