/**
 * What the runtime's clients can do at most: the calls of one delivery, one after another, for as many notifications
 * at once as DELIVERY_MAX_CONCURRENT_SESSIONS says. No machines, no journal, no log, and nothing that fails. It takes
 * the runtime's settings and ends by a signal.
 */
import { createMissionControl } from '../../../src/mission-control/mission-control.ts';
import { createGateway } from '../../../src/gateway/client.ts';
import { buildPrompt } from '../../../src/gateway/prompt.ts';
import { coalesces } from '../../../machines/notification/version.ts';
import type { NotificationRow } from '../../../machines/shared/mission-control.ts';

const MAX_PAGE = 500;
const IDLE_POLL_MS = 20;

const { env } = process;
const slots = Number(env['DELIVERY_MAX_CONCURRENT_SESSIONS']);
const missionControl = createMissionControl({
  url: env['CONVEX_URL'] ?? '',
  accountId: env['ACCOUNT_ID'] ?? '',
  serviceToken: env['SERVICE_TOKEN'] ?? '',
  maxConcurrent: slots,
});
const gateway = createGateway({
  url: env['OPENCLAW_GATEWAY_URL'] ?? '',
  token: env['OPENCLAW_GATEWAY_TOKEN'] ?? '',
  requestTimeoutMs: 60_000,
});
const { signal } = new AbortController();

async function deliver({ _id: id, recipientId: agentId, taskId = '' }: NotificationRow): Promise<void> {
  const context = await missionControl.loadContext(id, signal);
  if (context?.agent == null) throw new Error(`${id} has no agent`);
  const typing = missionControl.markRead(id);
  const { text } = await gateway.respond({
    agentSlug: context.agent.slug,
    sessionKey: context.deliverySessionKey ?? '',
    ...buildPrompt(context),
    signal,
  });
  await missionControl.postMessage({ taskId, agentId, content: text, sourceNotificationId: id }, signal);
  if (coalesces(context.notification)) await missionControl.loadContext(id, signal);
  await missionControl.markDelivered(id, signal);
  await typing;
}

const known = new Set<string>();
const waiting: NotificationRow[] = [];
let free = slots;
let changed = Promise.withResolvers<undefined>();

function startNext(): void {
  while (free > 0) {
    const row = waiting.shift();
    if (row === undefined) break;
    free -= 1;
    void deliver(row).then(() => {
      free += 1;
      startNext();
    });
  }
  if (waiting.length > 0) return;
  changed.resolve(undefined);
  changed = Promise.withResolvers();
}

for (;;) {
  const rows = (await missionControl.listUndelivered(MAX_PAGE, signal)).filter(({ _id }) => !known.has(_id));
  for (const row of rows) {
    known.add(row._id);
    waiting.push(row);
  }
  const timer = setTimeout(() => changed.resolve(undefined), IDLE_POLL_MS);
  const next = changed.promise;
  if (rows.length > 0) startNext();
  await next;
  clearTimeout(timer);
}
