/**
 * What the journal keeps of a notification: a plain value. These functions are all that can happen to it. The chart
 * applies them, and every step with an effect first has the value written (src/journal).
 */
import type { ToolAnswer } from '../shared/acting.ts';
import type { Moment } from '../shared/moment.ts';
import type { NotificationRow, TaskStatus } from '../shared/mission-control.ts';
import { addRound, answeredCall, begunCall, nextCall, NO_ROUNDS, type Rounds } from '../shared/rounds.ts';
import type { ToolCall } from '../shared/tools.ts';
import type { NoteReason } from './notes.ts';
import type { Reply } from './reply.ts';
import { hasMoved, isSameVersion, type Version } from './version.ts';

export interface Entry {
  /** Runs that count towards giving up, of the version in hand and over all processes. */
  attempts: number;
  /** Attempts that older versions took, and the one that is answered: the row's attempts in all never go down. */
  spent: number;
  /** Runs of the version in hand that somebody pays for, however they ended. */
  runs: number;
  /** Times that the gateway went down while a run of the version in hand was open. */
  cuts: number;
  /** The version that `runs` and `cuts` are of; null where none has run, or an older version of this program wrote the entry. */
  runsFor: Version | null;
  /** Messages that were posted for this notification. The first one carries its id, later ones must not. */
  posts: number;
  /** A reply that is complete and not known to be in the thread, with the version that it answers. */
  reply: (Reply & { version: Version }) | null;
  /** The version that the last message answers, or that the row is marked for. */
  answered: Version | null;
  /** The version in hand was given up, and why: only the note and the mark are left to do. */
  parked: NoteReason | null;
  /** The version that was given up; null where an older version of this program wrote the entry. */
  parkedFor: Version | null;
  /** What the agent called in its run, and how each call ended. */
  rounds: Rounds;
  /** The version that this run answers. */
  roundsFor: Version | null;
  /** A message without the notification's id is being posted, or was by a process that died. */
  begun: PostBegun | null;
}

export interface PostBegun {
  at: Moment;
  /** The newest message of the thread before it; null when there was none, or when that is not known. */
  after: string | null;
}

export const NOTHING_KNOWN: Entry = {
  attempts: 0,
  spent: 0,
  runs: 0,
  cuts: 0,
  runsFor: null,
  posts: 0,
  reply: null,
  answered: null,
  parked: null,
  parkedFor: null,
  rounds: NO_ROUNDS,
  roundsFor: null,
  begun: null,
};

/** Whether a call is still to be made before the agent is asked again. */
export const isActing = ({ rounds }: Entry): boolean => nextCall(rounds) !== null;

/**
 * A run begins, or one that rested between its calls goes on, which costs no further run. The attempt counts until its
 * failure is known to be somebody else's trouble.
 */
export const began = (entry: Entry, version: Version | null = null): Entry => ({
  ...entry,
  attempts: entry.attempts + 1,
  runs: entry.runs + (isActing(entry) ? 0 : 1),
  runsFor: version ?? entry.runsFor,
});

/** The run was not this notification's failure. @param paid whether the gateway had accepted it */
export const excused = (entry: Entry, paid: boolean): Entry => ({
  ...entry,
  attempts: Math.max(0, entry.attempts - 1),
  runs: Math.max(0, entry.runs - (paid ? 0 : 1)),
});

/** The gateway went down while the run was open. */
export const cut = (entry: Entry): Entry => ({ ...entry, cuts: entry.cuts + 1 });

/** The agent calls tools: the calls are on the disk before the first one is made. */
export const called = (
  entry: Entry,
  calls: readonly ToolCall[],
  { version, taskStatus }: { version: Version | null; taskStatus: TaskStatus | null },
): Entry => ({
  ...entry,
  rounds: addRound(entry.rounds, calls, taskStatus),
  roundsFor: version,
});

/** A run is continued for the version that it was begun for; a newer message has a run of its own. */
export const forVersion = (entry: Entry, version: Version | null): Entry =>
  isOver(entry, version) ? movedOn(entry, true) : continued(countedFor(entry, version), version);

/** The version that was given up is over. A newer message in the row starts fresh. */
const isOver = ({ parked, parkedFor }: Entry, version: Version | null): boolean =>
  parked !== null && parkedFor !== null && version !== null && !isSameVersion(parkedFor, version);

/** A newer message neither goes alone nor is given up for what the runs of an older one did. */
const countedFor = (entry: Entry, version: Version | null): Entry =>
  entry.runsFor === null || version === null || isSameVersion(entry.runsFor, version)
    ? entry
    : { ...entry, runs: 0, cuts: 0, runsFor: null };

const continued = (entry: Entry, version: Version | null): Entry =>
  entry.roundsFor === null || isSameVersion(entry.roundsFor, version)
    ? entry
    : { ...entry, rounds: NO_ROUNDS, roundsFor: null };

/** The next call goes out: from now on it may have had its effect. */
export const callBegan = (entry: Entry): Entry => ({ ...entry, rounds: begunCall(entry.rounds) });

/** The call that went out was answered. It is never made again. */
export const callAnswered = (entry: Entry, answer: ToolAnswer): Entry => ({
  ...entry,
  rounds: answeredCall(entry.rounds, answer),
});

/** The reply is complete. */
export const replied = (entry: Entry, reply: Reply, version: Version): Entry => ({
  ...entry,
  reply: { ...reply, version },
});

/** The reply says nothing, and the agent is to be asked again. */
export const discarded = (entry: Entry): Entry => ({ ...entry, reply: null });

/** It is given up. A reply that could not be posted is a dead letter by now. */
export const gaveUp = (entry: Entry, note: NoteReason, version: Version): Entry => ({
  ...entry,
  parked: note,
  parkedFor: version,
  reply: null,
});

/** A message without the notification's id goes out now. An earlier try keeps its place in the thread. */
export const postBegan = (entry: Entry, at: Moment, after: string | null): Entry => ({
  ...entry,
  begun: { at, after: entry.begun === null ? after : entry.begun.after },
});

/** A message that answers this version is in the thread. */
export const posted = (entry: Entry, version: Version): Entry => ({
  ...entry,
  ...startedOver(entry),
  cuts: 0,
  posts: entry.posts + 1,
  reply: null,
  rounds: NO_ROUNDS,
  answered: version,
  begun: null,
});

/** The row is about to be marked for this version. So the next process knows that a newer message is still to be answered. */
export const markBegan = (entry: Entry, version: Version): Entry => ({ ...entry, answered: version });

/** A newer message is in the row. @param finished whether all is done with the version before */
export const movedOn = (entry: Entry, finished: boolean): Entry => ({
  ...entry,
  ...(finished && startedOver(entry)),
  runs: 0,
  cuts: 0,
  runsFor: null,
  reply: null,
  parked: null,
  parkedFor: null,
  rounds: NO_ROUNDS,
  begun: null,
});

/** A version is done with: the next one has all its attempts. */
const startedOver = ({ attempts, spent }: Entry) => ({ attempts: 0, spent: spent + attempts });

/** The number of the row's last attempt, over all its versions and all processes; 0 before the first. */
export const attemptNumber = ({ attempts, spent }: Entry): number => spent + attempts;

/** What is kept of a row that is handed back: a reply, or a call's answer, that came at the last moment stays. */
export function handedBack(stored: Entry | null, entry: Entry): Entry {
  if (stored?.reply != null && entry.reply === null) return stored;
  return stored !== null && progress(stored.rounds) > progress(entry.rounds)
    ? { ...entry, rounds: stored.rounds, roundsFor: stored.roundsFor }
    : entry;
}

const progress = ({ earlier, calls }: Rounds): number =>
  earlier.length * 3 +
  calls.reduce((sum, { begun, answer }) => sum + (answer !== null ? 3 : begun ? 2 : 1), 0);

/** Whether there is anything to keep. */
export const isKept = (entry: Entry): boolean =>
  attemptNumber(entry) > 0 ||
  entry.runs > 0 ||
  entry.cuts > 0 ||
  entry.posts > 0 ||
  entry.reply !== null ||
  entry.answered !== null ||
  entry.parked !== null ||
  entry.rounds.count > 0 ||
  entry.begun !== null;

/** Of a marked row: a reply is still to be posted, or a message to be answered that came right before the mark. */
export const isOwed = (row: NotificationRow, { reply, answered }: Entry): boolean =>
  reply !== null || hasMoved(row, answered);

/** Whether a message that answers this version is in the thread. */
export const isAnswered = ({ posts, answered }: Entry, version: Version): boolean =>
  posts > 0 && isSameVersion(answered, version);
