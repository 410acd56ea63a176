import { closeSync, fdatasync, mkdirSync, openSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import type { Journal } from '../ports.ts';
import { openDatabase, SCHEMA_VERSION } from './database.ts';
import { unavailable } from './errors.ts';
import { forgetTogether } from './forget-together.ts';
import { createGroupSync } from './group-sync.ts';
import { lockStateDir } from './lock.ts';
import { forgetOld, notificationJournal } from './notifications.ts';
import { upgradeJournal } from './upgrade-exit.ts';

export interface JournalOptions {
  /** Milliseconds since the epoch; `Date.now` when absent. */
  now?: () => number;
  /** Told what an operator should know: `journal.damaged`. */
  onNotice?: (notice: { event: string; message: string }) => void;
}

export interface DiskJournal extends Journal {
  /** Writes to the file without changing what it holds: whether it still takes what is written. */
  check(): void;
}

/**
 * Opens the journal of one runtime, `journal.sqlite` in STATE_DIR. The directory is made (0700) when it is not there;
 * all files are the owner's alone (0600). What a call has written survives the process when it returns, and a power
 * cut when `synced` has settled; what it has forgotten may be back for one look. Rows that nobody touched for 30 days
 * go. Replies are kept as they are, since they must be posted; nothing else that somebody wrote is kept.
 *
 * @throws JournalLocked when another runtime has STATE_DIR
 * @throws JournalUnavailable when STATE_DIR or the file cannot be used; each method throws it as well
 */
export function openJournal(stateDir: string, options: JournalOptions = {}): DiskJournal {
  const { now = Date.now, onNotice = () => undefined } = options;
  const guard = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw unavailable(stateDir, error);
    }
  };

  const journal = guard(() => openUnguarded(stateDir, now, onNotice));
  return {
    read: (id) => guard(() => journal.read(id)),
    unfinished: () => guard(() => journal.unfinished()),
    beginAttempt: (id) => guard(() => journal.beginAttempt(id)),
    refundAttempt: (id) => guard(() => journal.refundAttempt(id)),
    saveReply: (id, reply, version) => guard(() => journal.saveReply(id, reply, version)),
    startOver: (id) => guard(() => journal.startOver(id)),
    beginPost: (id, after) => guard(() => journal.beginPost(id, after)),
    markPosted: (id, version) => guard(() => journal.markPosted(id, version)),
    markSettled: (id, version) => guard(() => journal.markSettled(id, version)),
    forget: (id) => guard(() => journal.forget(id)),
    readUpgradeExit: () => guard(() => journal.readUpgradeExit()),
    saveUpgradeExit: (exit) => guard(() => journal.saveUpgradeExit(exit)),
    synced: () => journal.synced().catch((error: unknown) => Promise.reject(unavailable(stateDir, error))),
    check: () => guard(() => journal.check()),
    close: () => guard(() => journal.close()),
  };
}

const syncFile = promisify(fdatasync);

function openUnguarded(
  stateDir: string,
  now: () => number,
  onNotice: NonNullable<JournalOptions['onNotice']>,
): DiskJournal {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, 'journal.sqlite');
  const unlock = lockStateDir(stateDir);
  const prepare = (database: DatabaseSync) => {
    forgetOld(database, now());
    // SQLite writes the header's page even when the number in it stays.
    const check = (): void => database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    check();
    const notifications = forgetTogether(notificationJournal(database, now), (work) => inOne(database, work));
    return { notifications, upgrades: upgradeJournal(database), check };
  };
  const tellSetAside = (aside: string) =>
    onNotice({
      event: 'journal.damaged',
      message:
        `The journal in STATE_DIR (${stateDir}) is damaged and now stands aside as ${basename(aside)}: attempts are ` +
        'counted anew, replies that were not posted yet are lost.',
    });
  try {
    const { database, prepared } = openDatabase(path, prepare, tellSetAside);
    // It is there as long as the database is open, and it is what `PRAGMA synchronous = FULL` would sync.
    const log = openSync(`${path}-wal`, 'r+');
    const { notifications, upgrades, check } = prepared;
    return {
      ...notifications,
      ...upgrades,
      check,
      synced: createGroupSync(() => syncFile(log)),
      close: () => {
        if (!database.isOpen) return;
        try {
          notifications.settle();
        } finally {
          database.close();
          closeSync(log);
          unlock();
        }
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

function inOne(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
