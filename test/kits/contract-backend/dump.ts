import * as v from 'valibot';

const text = v.string();
const optionalText = v.optional(text);
const moment = v.object({ at: v.number(), createdAt: v.number() });

const Notification = v.object({
  _id: text,
  _creationTime: v.number(),
  type: text,
  recipientType: v.picklist(['user', 'agent']),
  recipientId: text,
  taskId: optionalText,
  messageId: optionalText,
  createdAt: v.number(),
  deliveredAt: v.optional(v.number()),
  readAt: v.optional(v.number()),
  deliveryEndedAt: v.optional(v.number()),
});

const Message = v.object({
  _id: text,
  taskId: text,
  authorType: v.picklist(['user', 'agent']),
  authorId: text,
  content: text,
  createdAt: v.number(),
  sourceNotificationId: optionalText,
});

/** What `/__control/dump` answers, as far as tests look at it. */
export const Dump = v.object({
  messages: v.array(Message),
  notifications: v.array(Notification),
  /** null for a backend that was started without it. Moments on the machine's monotonic clock (history.ts). */
  history: v.nullable(
    v.object({
      notifications: v.record(
        text,
        v.object({
          versions: v.array(v.object({ ...moment.entries, messageId: v.nullable(text) })),
          loads: v.array(moment),
          deliveredAt: v.nullable(v.number()),
        }),
      ),
      messages: v.record(text, v.number()),
    }),
  ),
});

export type DumpedState = v.InferOutput<typeof Dump>;
export type DumpedNotification = v.InferOutput<typeof Notification>;
export type DumpedMessage = v.InferOutput<typeof Message>;
