/**
 * When each notification changed and was read, on the machine's monotonic clock: other processes on the machine can
 * compare it with their own `monotonicMs()`.
 */
interface NotificationHistory {
  /** When the row was made, and when each newer message was coalesced into it. */
  versions: { at: number; createdAt: number; messageId: string | null }[];
  /** Each answer of `getNotificationForDelivery`. */
  loads: { at: number; createdAt: number }[];
  deliveredAt: number | null;
}

export interface History {
  notifications: Map<string, NotificationHistory>;
  /** When each message came into its thread. */
  messages: Map<string, number>;
}

export const createHistory = (): History => ({ notifications: new Map(), messages: new Map() });

/** Milliseconds since the machine started. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
