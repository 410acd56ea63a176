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
