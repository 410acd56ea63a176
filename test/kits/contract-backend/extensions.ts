/** `service/extensions` (docs/contract-extensions.md). */
import * as v from 'valibot';
import { failure } from '../../../convex/model/errors.ts';
import { clampLimit } from '../../../convex/model/limits.ts';
import { complete } from './completion.ts';
import { loadContext } from './context.ts';
import { define, type ServiceFunction } from './define.ts';
import { oldestRows, startTyping } from './queue.ts';
import type { Notification } from './rows.ts';
import { reportArgs, reportStatus } from './runtime-status.ts';

const MAX_CONTEXTS = 20;

const sessionOf = ({ recipientId, taskId }: Notification): string => `${recipientId}/${taskId ?? ''}`;

const functions = {
  capabilities: define({}, () => ({
    functions: [...EXTENSIONS.keys()].filter((name) => name !== 'capabilities'),
  })),
  /** A counter: its value is another one after each change of the queue. */
  wakeUp: define({}, ({ arrivals }) => String(arrivals)),
  listWithContexts: define(
    { limit: v.optional(v.number()), contexts: v.number(), busy: v.array(v.string()) },
    (store, { limit, contexts: most, busy }) => {
      const rows = oldestRows(store, clampLimit(limit, 100, 500));
      const inHand = new Set(busy);
      const taken = new Set(rows.filter(({ _id }) => inHand.has(_id)).map(sessionOf));
      const contexts = [];
      for (const row of rows) {
        if (contexts.length >= Math.min(most, MAX_CONTEXTS)) break;
        if (taken.has(sessionOf(row))) continue;
        taken.add(sessionOf(row));
        startTyping(store, row);
        contexts.push(loadContext(store, row));
      }
      return { notifications: rows, contexts };
    },
  ),
  beginDelivery: define({ notificationId: v.string() }, (store, { notificationId }) => {
    const row = store.notifications.get(notificationId);
    if (row === undefined) return null;
    if (row.deliveredAt === undefined) startTyping(store, row);
    return loadContext(store, row);
  }),
  completeDelivery: define(
    {
      notificationId: v.string(),
      version: v.strictObject({ messageId: v.nullable(v.string()), createdAt: v.number() }),
      reply: v.nullable(v.strictObject({ content: v.string(), first: v.boolean(), startsTask: v.boolean() })),
    },
    (store, { notificationId, version, reply }) => {
      const row = store.notifications.get(notificationId);
      if (row === undefined) throw failure('NOT_FOUND', 'Not found: Notification does not exist');
      return complete(store, row, version, reply) ? null : loadContext(store, row);
    },
  ),
  reportStatus: define(reportArgs, (store, { status, config }) => {
    reportStatus(store, status, config);
    return { asked: false };
  }),
};

export const EXTENSIONS: ReadonlyMap<string, ServiceFunction> = new Map(Object.entries(functions));
