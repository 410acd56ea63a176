/** When a notification is given up, and what is left to do then: a note, and the mark. */
import { answeredVersion, type Outcome } from './context.ts';
import { isChatterNoted } from './chatter.ts';
import { gaveUp, isAnswered, isActing, type Entry } from './entry.ts';
import { MAX_RUNS, mostAttempts, withFailures } from './failures.ts';
import type { NoteReason } from './notes.ts';
import { CUTS_IN_COMPANY, update } from './parts.ts';
import { alwaysWantsAnswer, mustAnswer } from './rules.ts';

/** Three times alone are no coincidence any more. */
export const MAX_CUTS = CUTS_IN_COMPANY + 3;
export const hasTakenGatewayDown = ({ cuts }: Entry): boolean => cuts >= MAX_CUTS;

const OUTCOMES: Partial<Record<NoteReason, Outcome>> = { noReply: 'unanswered', chatter: 'chatter' };

const outcomeOf = (note: NoteReason | null): Outcome => (note && OUTCOMES[note]) ?? 'parked';

export const isGivenUp = (outcome: Outcome): boolean => ['parked', 'unanswered', 'chatter'].includes(outcome);

export const giveUp = <const TNote extends NoteReason>(note: TNote) =>
  ({ type: 'giveUp', params: { note } }) as const;

export const withGivingUp = withFailures.extend({
  guards: {
    givenUpBefore: ({ context }) => context.entry.parked !== null,
    givenUp: ({ context }) => isGivenUp(context.result.outcome),
    /** The gateway went down each time: in company first, then while this run alone was open. */
    tookGatewayDown: ({ context }) => hasTakenGatewayDown(context.entry),
    attemptsSpent: ({ context: { entry, delivery } }) =>
      entry.attempts >= mostAttempts(delivery) || (entry.runs >= MAX_RUNS && !isActing(entry)),
    /** A row that needs no answer leaves no note, and no version leaves two. */
    noteDue: ({ context }) => {
      const { row, delivery, entry, result } = context;
      if (row.taskId === undefined || isAnswered(entry, answeredVersion(context))) return false;
      if (result.note === 'chatter') return delivery?.agent != null && !isChatterNoted(delivery);
      if (delivery === null) return alwaysWantsAnswer(row);
      return delivery.task !== null && delivery.agent !== null && mustAnswer(delivery);
    },
  },
  actions: {
    giveUpAgain: update(({ result, entry }) => ({
      result: { ...result, note: entry.parked, outcome: outcomeOf(entry.parked) },
    })),
    giveUp: update((context, { note }: { note: NoteReason }) => ({
      entry: gaveUp(context.entry, note, answeredVersion(context)),
      result: { ...context.result, note, outcome: outcomeOf(note) },
    })),
  },
});
