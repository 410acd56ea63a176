import { ConvexHttpClient } from 'convex/browser';
import type { Value } from 'convex/values';
import { makeFunctionReference } from 'convex/server';
import * as v from 'valibot';
import type { DevSession } from './session.ts';

const Message = v.object({
  messageId: v.string(),
  authorType: v.picklist(['user', 'agent']),
  authorId: v.string(),
  authorName: v.nullable(v.string()),
  content: v.string(),
  createdAt: v.number(),
});

export type Message = v.InferOutput<typeof Message>;

const Row = v.object({
  _id: v.string(),
  recipientType: v.picklist(['user', 'agent']),
  recipientId: v.string(),
  taskId: v.optional(v.string()),
  messageId: v.optional(v.string()),
  createdAt: v.number(),
  readAt: v.optional(v.number()),
  deliveredAt: v.optional(v.number()),
});

/** The part of a notification that a person at a terminal asks for. */
export type Row = v.InferOutput<typeof Row>;

const Agents = v.array(v.object({ _id: v.string(), slug: v.string(), name: v.string() }));

/** A person's view of the local Mission Control: what `npm run say` and the tests do there. */
export function createDemoClient(
  access: Pick<DevSession, 'convexUrl' | 'accountId' | 'serviceToken' | 'personToken'>,
) {
  const { convexUrl, accountId, serviceToken, personToken } = access;
  const client = new ConvexHttpClient(convexUrl, { skipConvexDeploymentUrlCheck: true, logger: false });
  const call = (name: string, args: Record<string, Value>): Promise<unknown> =>
    client.action(makeFunctionReference<'action'>(name), {
      accountId,
      ...(name.startsWith('demo/') ? { personToken } : { serviceToken }),
      ...args,
    });
  return {
    postMessage: async (taskId: string, content: string): Promise<string> =>
      v.parse(
        v.object({ messageId: v.string() }),
        await call('demo/actions:postMessage', { taskId, content }),
      ).messageId,
    listThread: async (taskId: string): Promise<Message[]> =>
      v.parse(v.array(Message), await call('demo/actions:listThread', { taskId, limit: 1000 })),
    /** The newest notifications, newest first. */
    listNotifications: async (): Promise<Row[]> =>
      v.parse(v.array(Row), await call('demo/actions:listNotifications', { limit: 200 })),
    listAgents: async () => v.parse(Agents, await call('service/actions:listAgents', {})),
    call,
  };
}

export type DemoClient = ReturnType<typeof createDemoClient>;
