import { afterEach, expect, test } from 'vitest';
import { createMissionControl } from './mission-control.ts';
import { failure, startWire, success, type WireAnswer } from '../../test/kits/wire-server.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function ask(answer: WireAnswer): Promise<readonly string[]> {
  const wire = await startWire(() => answer);
  const access = { accountId: 'acc1', serviceToken: `mc_service_acc1_${'ab'.repeat(32)}` };
  const client = createMissionControl({ url: wire.url, ...access, maxConcurrent: 1 });
  closing.push(
    () => client.close(),
    () => wire.close(),
  );
  return client.askExtensions();
}

test('gives the names of what is offered', async () => {
  expect(await ask(success({ functions: ['wakeUp', 'unheardOf'] }))).toEqual(['wakeUp', 'unheardOf']);
});

test.each([
  [
    'in development',
    "[CONVEX A(service/extensions:capabilities)] Server Error\nCould not find public function for 'service/extensions:capabilities'. Did you forget to run `npx convex dev`?",
  ],
  ['in production, where the reason is hidden', '[Request ID: 0123456789abcdef] Server Error'],
])('a function that is not there offers nothing: %s', async (_, message) => {
  expect(await ask(failure(message))).toEqual([]);
});

test.each([
  ['a refused token', failure('no', { code: 'UNAUTHENTICATED', message: 'no' }), 'backendRefused'],
  ['a reason of its own', failure('no', { code: 'FORBIDDEN', message: 'no' }), 'backendRejected'],
  [
    'a paused deployment',
    failure('Cannot run functions while this deployment is paused'),
    'backendUnavailable',
  ],
  ['an overload', { status: 503, body: { code: 'Overloaded', message: 'later' } }, 'backendUnavailable'],
  ['a stranger', { status: 404, body: '<html></html>' }, 'backendUnavailable'],
  ['an answer of another form', success(['wakeUp']), 'backendRejected'],
] as const)('trouble is no absence: %s', async (_, answer, kind) => {
  await expect(ask(answer)).rejects.toMatchObject({ kind });
});

const ACCESS = { accountId: 'acc1', serviceToken: `mc_service_acc1_${'ab'.repeat(32)}` };
const LENT = ['leaseNotifications', 'releaseNotifications', 'reportStatus'];

/** A backend that offers these functions. */
async function withOffer(functions: readonly string[], others = 0) {
  const answers: Record<string, WireAnswer> = {
    'service/extensions:capabilities': success({ functions }),
    'service/extensions:leaseNotifications': success({ notifications: [], contexts: [], others }),
    'service/extensions:releaseNotifications': success(null),
    'service/extensions:reportStatus': success({ asked: false, others }),
    'service/actions:listUndeliveredNotifications': success([]),
  };
  const wire = await startWire(({ body }) => answers[body.path] ?? failure('not there'));
  const signs: unknown[] = [];
  const offered = new Set(functions);
  const client = createMissionControl({
    ...ACCESS,
    url: wire.url,
    maxConcurrent: 1,
    holder: 'me',
    onOthers: (sign) => signs.push(sign),
    offer: { has: (name) => offered.has(name), failed: (name) => void offered.delete(name) },
  });
  closing.push(
    () => client.close(),
    () => wire.close(),
  );
  const called = () => wire.calls.map(({ body }) => body.path.replace(/^service\/\w+:/, ''));
  return { client, wire, called, signs };
}

const PAGE = { limit: 5, contexts: 0, busy: [] };

test('where rows are lent, every list lends them', async () => {
  const { client, wire, called } = await withOffer(LENT);
  expect(await client.listWithContexts(PAGE)).toEqual({ rows: [], contexts: [], others: 0 });
  expect(called()).toEqual(['leaseNotifications']);
  expect(wire.calls[0]?.body.args[0]).toMatchObject({ holder: 'me', limit: 5, contexts: 0, busy: [] });
});

test('a function that fails without a reason is told of, and not called again', async () => {
  const { client, called } = await withOffer(['beginDelivery']);
  await client.beginDelivery('n1').catch(() => undefined);
  await client.beginDelivery('n1').catch(() => undefined);
  expect(called()).toEqual(['beginDelivery', 'getNotificationForDelivery', 'getNotificationForDelivery']);
});

test('a backend that lends nothing is asked for nothing of that', async () => {
  const { client, called } = await withOffer([]);
  expect(await client.listWithContexts(PAGE)).toEqual({ rows: [], contexts: [], others: null });
  await client.releaseRows([]);
  expect(called()).toEqual(['listUndeliveredNotifications']);
});

test('other runtimes are told of by lists and reports, and that they are gone is told once', async () => {
  const { client, wire, signs } = await withOffer(LENT, 1);
  const report = {
    dropletId: 'd',
    ipAddress: '127.0.0.1',
    lastHealthCheck: 1,
    openclawVersion: '1',
    runtimeServiceVersion: '2',
  };
  await client.listWithContexts(PAGE);
  await client.updateRuntimeStatus('online', report);
  const counted = { type: 'otherRuntime.counted', others: 1 };
  expect(signs).toEqual([counted, counted]);
  expect(wire.calls.at(-1)?.body.args[0]).toMatchObject({ holder: 'me', status: 'online' });
});

test('rows are given back by name', async () => {
  const { client, wire } = await withOffer(LENT);
  await client.releaseRows(['r1']);
  expect(wire.calls.at(-1)?.body.args[0]).toMatchObject({ holder: 'me', keep: ['r1'] });
});
