/**
 * What rows say of another runtime, where Mission Control does not lend them. Three things are signs of one: a row that
 * this process has not taken is typed in, one that it has not marked is delivered, or one that it types in is not typed
 * in any more. The quicker one of two runtimes would see nothing of the other. So the slower one switches the typing
 * indicator off where it begins a row that is typed in already, and the quicker one sees that.
 */
import type { NotificationRow } from '../shared/mission-control.ts';

/** What this process did with a row, and what it saw of it. */
export interface KnownRow {
  /** It has taken the row, so the typing indicator may be its own. */
  begun: boolean;
  /** Since when its typing indicator is on, in milliseconds of a clock that never goes back; null when it is off. */
  typingSince: number | null;
  marked: boolean;
  /** Somebody else was typing there before this process took it: that indicator is to be switched off. */
  typedElsewhere: boolean;
}

export const UNKNOWN_ROW: KnownRow = {
  begun: false,
  typingSince: null,
  marked: false,
  typedElsewhere: false,
};

export const taken = (row: KnownRow): KnownRow => ({ ...row, begun: true });
export const typingBegan = (row: KnownRow, now: number): KnownRow => ({ ...row, typingSince: now });
export const typingEnded = (row: KnownRow): KnownRow => ({ ...row, typingSince: null });
export const marked = (row: KnownRow): KnownRow => ({ ...row, marked: true, typingSince: null });

/** The typing indicator that somebody else has switched on is being switched off. */
export const switchedOff = (row: KnownRow): KnownRow => ({ ...row, typedElsewhere: false });

export interface Look {
  known: KnownRow;
  /** A sentence for an operator; null where nothing shows another runtime. */
  sign: string | null;
}

/** When Convex says that a row was read: what is not newer than `baseline` may be of an earlier process. */
interface Times {
  /** By Convex's clock. */
  baseline: number;
  /** When the list was asked for, by the clock of `typingSince`: it may be older than what this process did since. */
  askedAt: number;
}

/** The row is in a list. */
export function lookAtListed(known: KnownRow, row: NotificationRow, { baseline, askedAt }: Times): Look {
  if (!known.begun) return lookAtReading(known, row, baseline);
  const wasTyping = known.typingSince !== null && known.typingSince < askedAt;
  const isSwitchedOff = wasTyping && row.deliveryEndedAt !== undefined;
  return { known, sign: isSwitchedOff ? 'the typing indicator of a run under way was switched off' : null };
}

/** The row was not taken here. */
export function lookAtReading(known: KnownRow, row: NotificationRow, baseline: number): Look {
  const isTyped = row.deliveryEndedAt === undefined;
  return isTyped && row.readAt !== undefined && row.readAt > baseline
    ? {
        known: { ...known, typedElsewhere: true },
        sign: 'a notification was read that this one had not taken',
      }
    : { known, sign: null };
}

/** The row's context was read, after a list had shown the row undelivered. */
export const lookAtDelivered = (known: KnownRow, { deliveredAt }: NotificationRow): Look => ({
  known,
  sign:
    deliveredAt !== undefined && !known.marked
      ? 'a notification was delivered that this one had not marked'
      : null,
});
