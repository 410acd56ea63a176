/** What is remembered of one notification: times, states, counts and sentences, and little of its message. */
import type { Outcome } from '../../machines/notification/context.ts';
import type { NoteReason } from '../../machines/notification/notes.ts';

/** Where a notification stands. Times are milliseconds since the epoch. */
export type Phase =
  /** The list showed it, and no actor works on it yet. */
  | 'listed'
  | 'reading'
  /** Convex is in trouble, or the journal: it cannot be read. */
  | 'readingRests'
  /** It waits for a slot. */
  | 'queueing'
  /** A round is open on the gateway. */
  | 'running'
  /** A call of its agent is under way. */
  | 'acting'
  /** It waits with backoff before it runs again. */
  | 'resting'
  | 'answering'
  /** The reply is there, and cannot be posted or marked yet. */
  | 'answeringRests'
  | 'handingBack';

/** Phases in which it waits with backoff. */
export const RESTS: readonly Phase[] = ['resting', 'readingRests', 'answeringRests'];

export interface Run {
  from: number;
  to: number | null;
  rounds: number;
  toolCalls: number;
  /** null: the gateway told of none. */
  tokens: { input: number; output: number } | null;
  /** null while it is open. */
  ended: 'replied' | 'failed' | 'cutOff' | null;
}

interface Failure {
  at: number;
  sentence: string;
  /** How often it came in a row. */
  times: number;
}

export interface Story {
  id: string;
  /** The key of its session. */
  session: string;
  agentId: string;
  taskId: string | null;
  type: string;
  createdAt: number;
  agent: string | null;
  task: string | null;
  /** The beginning of the message's first line; null where texts are not shown, and where there is none. */
  text: string | null;
  /** Its context was read. Before that the text is what the row itself says, which may not be the message. */
  heard: boolean;
  /** Runs that an earlier process began. */
  earlierRuns: number;
  phases: { phase: Phase; at: number }[];
  runs: Run[];
  failures: Failure[];
  end: { at: number; outcome: Outcome; reason: string | null; note: NoteReason | null } | null;
}

const LONGEST_TEXT = 80;
/** A notification that is tried for days keeps its last ones. */
const MOST_PHASES = 60;
const MOST_RUNS = 20;
const MOST_FAILURES = 20;
const LONGEST_SENTENCE = 400;

/** At most 80 characters of the first line that says anything. */
export function excerpt(text: string, redact: (text: string) => string): string | null {
  const line = text.split(/[\r\n]/).find((one) => one.trim() !== '');
  return line === undefined ? null : cut(redact(line), LONGEST_TEXT);
}

export function cut(text: string, longest: number): string {
  const plain = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  const characters = Array.from(plain);
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : plain;
}

export const phaseOf = ({ phases }: Story): Phase => phases.at(-1)?.phase ?? 'listed';

export function enter(story: Story, phase: Phase, at: number): void {
  if (story.end === null && story.phases.at(-1)?.phase === phase) return;
  story.end = null;
  push(story.phases, { phase, at }, MOST_PHASES);
}

/** The run that is open, if one is. */
export const openRun = ({ runs }: Story): Run | null => {
  const last = runs.at(-1);
  return last?.ended === null ? last : null;
};

export function beginRound(story: Story, at: number): void {
  const open = openRun(story);
  if (open !== null) open.rounds += 1;
  else
    push(story.runs, { from: at, to: null, rounds: 1, toolCalls: 0, tokens: null, ended: null }, MOST_RUNS);
}

export function endRun(story: Story, ended: NonNullable<Run['ended']>, at: number): void {
  const open = openRun(story);
  if (open !== null) Object.assign(open, { ended, to: at });
}

export function fail(story: Story, at: number, reason: string): void {
  const sentence = cut(reason, LONGEST_SENTENCE);
  const last = story.failures.at(-1);
  if (last?.sentence === sentence) Object.assign(last, { at, times: last.times + 1 });
  else push(story.failures, { at, sentence, times: 1 }, MOST_FAILURES);
}

function push<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.shift();
}
