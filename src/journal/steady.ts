import type { Journal } from '../ports.ts';
import { JournalUnavailable } from './errors.ts';
import { guardDisk } from './guarded-disk.ts';
import type { DiskJournal } from './journal.ts';
import { createMemoryJournal } from './memory.ts';
import type { NotificationJournal } from './notifications.ts';

/** The setting JOURNAL: may runs start that no disk counts? */
export type JournalMode = 'required' | 'optional';

export interface SteadyJournal extends Journal {
  /** Tells how it stands, now and at every change: one sentence for an operator, null when all is well. */
  watch(tell: (problem: string | null) => void): void;
}

/**
 * A journal that outlives trouble with its disk. What is to be kept once a run has begun is kept in memory until the
 * disk takes it: an error there would have the run repeated, or its reply posted twice. What comes before a run
 * fails with the disk (`required`), or is kept in memory as well (`optional`).
 *
 * @param open opens the journal on the disk; called again after a failure
 * @throws JournalLocked in either mode; JournalUnavailable when the mode is `required` and the disk cannot be used.
 *   Then `read`, `beginAttempt` and `synced` throw it too, and what concerns upgrades throws it in either mode.
 */
export function openSteadyJournal(open: () => DiskJournal, mode: JournalMode): SteadyJournal {
  let problem: string | null = null;
  let tell: (problem: string | null) => void = () => undefined;
  const kept = createKept();
  const disk = guardDisk(
    open,
    (found) => kept.writeTo(found),
    (trouble) => {
      problem = trouble && problemOf(trouble, mode);
      tell(problem);
    },
  );
  const readDisk = (id: string) => disk.read((journal) => journal.read(id));
  const orKept = <T>(id: string, write: Write<T>): T =>
    orElse(
      () => disk.write(write),
      () => kept.keep(id, write, () => orElse(() => readDisk(id), nothing)),
    );
  const isRequired = mode === 'required';
  // The first look, so that a start that must not go on does not.
  orElse(
    () => disk.write((journal) => journal.check()),
    (trouble) => {
      if (isRequired) throw trouble;
    },
  );

  return {
    read: (id) => {
      if (kept.memory.has(id)) return kept.memory.read(id);
      return isRequired ? readDisk(id) : orElse(() => readDisk(id), nothing);
    },
    unfinished: () => {
      const onDisk = orElse(() => disk.read((journal) => journal.unfinished()), none);
      return [...onDisk.filter((id) => !kept.memory.has(id)), ...kept.memory.unfinished()];
    },
    beginAttempt: (id) =>
      isRequired
        ? disk.write((journal) => journal.beginAttempt(id))
        : orKept(id, (journal) => journal.beginAttempt(id)),
    refundAttempt: (id) => orKept(id, (journal) => journal.refundAttempt(id)),
    saveReply: (id, reply, version) => orKept(id, (journal) => journal.saveReply(id, reply, version)),
    startOver: (id) => orKept(id, (journal) => journal.startOver(id)),
    beginPost: (id, after) => orKept(id, (journal) => journal.beginPost(id, after)),
    markPosted: (id, version) => orKept(id, (journal) => journal.markPosted(id, version)),
    markSettled: (id, version) => orKept(id, (journal) => journal.markSettled(id, version)),
    forget: (id) =>
      orElse(
        () => disk.write((journal) => journal.forget(id)),
        () => kept.drop(id, orElse(() => readDisk(id), nothing) !== null),
      ),
    readUpgradeExit: () => disk.read((journal) => journal.readUpgradeExit()),
    saveUpgradeExit: (exit) => disk.write((journal) => journal.saveUpgradeExit(exit)),
    synced: async () => {
      try {
        await disk.synced();
      } catch (error) {
        if (isRequired || !(error instanceof JournalUnavailable)) throw error;
      }
    },
    close: () => disk.close(),
    watch: (listener) => {
      tell = listener;
      tell(problem);
    },
  };
}

type Write<T> = (journal: NotificationJournal) => T;

/** What the disk has not taken yet: in memory to be read, and as writes to be caught up on, in order. */
function createKept() {
  const memory = createMemoryJournal();
  const unwritten = new Map<string, Write<unknown>[]>();
  return {
    memory,
    keep<T>(id: string, write: Write<T>, known: Journal['read']): T {
      if (!memory.has(id)) memory.adopt(id, known(id));
      unwritten.set(id, [...(unwritten.get(id) ?? []), write]);
      return write(memory);
    },
    /** What the disk still has would be taken for unfinished, and posted and marked at every look. */
    drop(id: string, isOnDisk: boolean): void {
      memory.forget(id);
      unwritten.delete(id);
      if (!isOnDisk) return;
      memory.adopt(id, null);
      unwritten.set(id, [(journal) => journal.forget(id)]);
    },
    writeTo(disk: NotificationJournal): void {
      for (const [id, writes] of unwritten) {
        // One by one: none may be made twice when the disk fails in between.
        for (let write = writes[0]; write !== undefined; write = writes[0]) {
          write(disk);
          writes.shift();
        }
        unwritten.delete(id);
      }
      memory.clear();
    },
  };
}

function orElse<T>(work: () => T, other: (trouble: JournalUnavailable) => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof JournalUnavailable) return other(error);
    throw error;
  }
}

const nothing = (): null => null;

const none = (): string[] => [];

const problemOf = ({ message }: JournalUnavailable, mode: JournalMode): string =>
  mode === 'required'
    ? `${message} No run starts until it can be written.`
    : `${message} Delivery goes on without it (JOURNAL=optional): a crash may have runs repeated.`;
