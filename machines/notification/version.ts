import type { NotificationRow } from '../shared/mission-control.ts';

/** Which message a row stands for: newer messages are coalesced into a thread update (docs/contract.md#coalescing). */
export interface Version {
  messageId: string | null;
  createdAt: number;
}

export const versionOf = (row: NotificationRow): Version => ({
  messageId: row.messageId ?? null,
  createdAt: row.createdAt,
});

/** A version that is not known is the same as no other. */
export const isSameVersion = (one: Version | null, other: Version | null): boolean =>
  one !== null && other !== null && one.messageId === other.messageId && one.createdAt === other.createdAt;

/** Whether the row stands for another message than at that version. */
export const hasMoved = (row: NotificationRow, version: Version | null): boolean =>
  version !== null && !isSameVersion(versionOf(row), version);

/** Whether newer messages may be coalesced into the row: only thread updates take them in. */
export const coalesces = ({ type }: NotificationRow): boolean => !STANDS_ALONE.has(type);

const STANDS_ALONE: ReadonlySet<string> = new Set([
  'mention',
  'assignment',
  'response_request',
  'status_change',
]);
