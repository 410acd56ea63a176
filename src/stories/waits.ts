/** What a notification waited for, from the times of its own states, of its session, and of the gate. */
import type { Gate } from '../../machines/shared/evidence.ts';
import { length, without, type Span } from './spans.ts';
import { RESTS, type Phase, type Story } from './story.ts';

/** What it waited for, and how long in all, in milliseconds. */
export type Waited = Record<WaitedFor, number>;

export type WaitedFor =
  | 'slot'
  | 'gate'
  /** Its agent rests, because it has used up its tokens of the day. */
  | 'hold'
  /** An earlier message of its session. */
  | 'session'
  /** After a failure. */
  | 'backoff';

/** When an agent had no tokens left; `to` is null while it has none. */
export type Holds = readonly { agentId: string; from: number; to: number | null }[];

/** When the gate moved, the oldest first. */
export type GateMoves = readonly { gate: Gate; at: number }[];

type Others = readonly Story[];
/** When the gate moved, and when agents had no tokens left. */
export interface Held {
  moves: GateMoves;
  holds?: Holds;
}

export function waitsOf(story: Story, others: Others, held: Held, now: number): Waited {
  const { session, hold, gate, slot, backoff } = waitSpansOf(story, others, held, now);
  return {
    session: length(session),
    hold: length(hold),
    gate: length(gate),
    slot: length(slot),
    backoff: length(backoff),
  };
}

/** The stretches of time behind it. None overlap. */
export function waitSpansOf(
  story: Story,
  others: Others,
  { moves, holds = [] }: Held,
  now: number,
): Record<WaitedFor, Span[]> {
  const begun = spansIn(story, ['listed'], now);
  const queued = spansIn(story, ['queueing'], now);
  const busy = others
    .filter(({ session, id }) => session === story.session && id !== story.id)
    .flatMap((other) => spansNotIn(other, ['listed'], now));
  const closed = closedSpans(moves, now);
  const afterOthers = without(begun, busy);
  const waited = [...afterOthers, ...queued];
  const resting = holds
    .filter(({ agentId }) => agentId === story.agentId)
    .map(({ from, to }) => ({ from, to: to ?? now }));
  const forGateOrSlot = without(waited, resting);
  const forSlot = without(forGateOrSlot, closed);
  return {
    session: without(begun, afterOthers),
    hold: without(waited, forGateOrSlot),
    gate: without(forGateOrSlot, forSlot),
    slot: forSlot,
    backoff: spansIn(story, RESTS, now),
  };
}

const spansIn = (story: Story, wanted: readonly Phase[], now: number): Span[] =>
  spansOf(story, now).flatMap(({ phase, ...span }) => (wanted.includes(phase) ? [span] : []));

const spansNotIn = (story: Story, left: readonly Phase[], now: number): Span[] =>
  spansOf(story, now).flatMap(({ phase, ...span }) => (left.includes(phase) ? [] : [span]));

function spansOf({ phases, end }: Story, now: number): (Span & { phase: Phase })[] {
  const last = end?.at ?? now;
  return phases.map(({ phase, at }, i) => ({ phase, from: at, to: phases[i + 1]?.at ?? Math.max(at, last) }));
}

const closedSpans = (moves: GateMoves, now: number): Span[] =>
  moves.flatMap(({ gate, at }, i) => (gate === 'open' ? [] : [{ from: at, to: moves[i + 1]?.at ?? now }]));
