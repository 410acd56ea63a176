/** All machines together, under schedules of answers, failures, crashes and signals. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addRow } from '../../test/kits/schedule.ts';
import type { GatewayActor } from '../gateway/machine.ts';
import { isSessionActor } from '../shared/actor-name.ts';
import type { FaultKind } from '../shared/fault.ts';
import { sampleAgent, settle } from '../../test/kits/samples/mission-control.ts';
import {
  childrenOf,
  countActive,
  crash,
  deliveryIn,
  DRAIN_MS,
  startSystem,
  type System,
} from '../../test/kits/supervised-system.ts';

type Step =
  | { do: 'answer' | 'crash' | 'crashChild'; which: number }
  | { do: 'fail'; which: number; kind: FaultKind }
  | { do: 'wait'; ms: number };

const which = fc.nat(9);
const calm: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('answer'), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('fail'),
      which,
      kind: fc.constantFrom('runFailed', 'gatewayUnavailable', 'gatewayRefused', 'backendUnavailable', 'bug'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 1, max: 20_000 }) }) },
);
const crashes: fc.Arbitrary<Step> = fc.record({ do: fc.constantFrom('crash', 'crashChild'), which });
/** Few enough crashes to stay within the budget. */
const steps = fc
  .tuple(fc.array(calm, { maxLength: 50 }), fc.array(fc.tuple(crashes, fc.nat(50)), { maxLength: 4 }))
  .map(([some, crashed]) =>
    crashed.reduce((sofar, [one, at]) => [...sofar.slice(0, at), one, ...sofar.slice(at)], some),
  );
const queue = fc.array(fc.nat(2), { minLength: 1, maxLength: 6 });

const nth = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];

async function take({ around, clock, root }: System, one: Step): Promise<void> {
  const delivery = childrenOf(root).delivery;
  switch (one.do) {
    case 'answer':
      nth(around.calls, one.which)?.succeed();
      break;
    case 'fail':
      nth(around.calls, one.which)?.fail(one.kind);
      break;
    case 'wait':
      clock.increment(one.ms);
      break;
    case 'crash':
      crash(nth(Object.values(childrenOf(root)), one.which));
      break;
    case 'crashChild':
      if (delivery === undefined) break;
      crash(nth(Object.values(childrenOf(delivery)).filter(isSessionActor), one.which));
  }
  await settle();
  for (const id of deliveryIn(root)?.context.setAside ?? []) around.outOfOrder.add(id);
}

async function takeAll(system: System, some: readonly Step[]): Promise<void> {
  await settle();
  for (const one of some) await take(system, one);
}

/** From here on every call succeeds, and enough time passes for rows that were set aside to be looked at again. */
async function allIsWell({ around, clock, root }: System, until: () => boolean): Promise<void> {
  for (let rounds = 0; rounds < 600 && !until(); rounds += 1) {
    await settle();
    for (const id of deliveryIn(root)?.context.setAside ?? []) around.outOfOrder.add(id);
    const [call] = around.calls;
    if (call === undefined) clock.increment(5_000);
    else call.succeed();
  }
  await settle();
}

const isWell = ({ around, root }: System, rows: number): boolean => {
  const { context, value } = root.getSnapshot();
  return value === 'running' && around.marks.length === rows && Object.keys(context.conditions).length === 0;
};

/** Lets every run fail and every other call succeed, until the gateway machine is in this state. */
async function failRunsUntil({ around, clock, root }: System, state: object): Promise<void> {
  const isThere = () => (childrenOf(root).gateway as GatewayActor | undefined)?.getSnapshot();
  for (let rounds = 0; rounds < 100; rounds += 1) {
    await settle();
    if (JSON.stringify(isThere()?.value) === JSON.stringify(state)) return;
    const [call] = around.calls;
    if (call === undefined) clock.increment(1_000);
    else if (call.name === 'runAgent') call.fail('runFailed');
    else call.succeed();
  }
  throw new Error(`the gateway machine did not come to ${JSON.stringify(state)}`);
}

describe('the whole runtime', () => {
  it('goes on with the trial when delivery crashes in the midst of it', async () => {
    const system = startSystem([0, 1, 2]);
    const { root, around } = system;
    await failRunsUntil(system, { ailing: 'trying' });
    crash(childrenOf(root).delivery);
    await allIsWell(system, () => isWell(system, 3));
    expect(around.marks).toHaveLength(3);
    expect(around.wrongs).toEqual([]);
    root.stop();
  });

  it('looks at the agents at once when the gateway does not know one that is spoken to', async () => {
    const system = startSystem([]);
    const { root, around } = system;
    await allIsWell(system, () => isWell(system, 0) && 'heartbeat:engineer' in childrenOf(root));
    addRow(around, 0);
    root.send({ type: 'queue.changed' });
    for (const name of ['listUndelivered', 'readContext']) {
      await settle();
      around.calls.find((call) => call.name === name)?.succeed();
    }
    await settle();
    expect(around.calls.map(({ name }) => name)).not.toContain('listAgents');
    around.calls.find(({ name }) => name === 'runAgent')?.fail('agentUnknown');
    await settle();
    expect(around.calls.map(({ name }) => name)).toContain('listAgents');
    root.stop();
  });

  it('forgets that a heartbeat crashed when the next list of agents starts it', async () => {
    const system = startSystem([]);
    const { root } = system;
    await allIsWell(system, () => isWell(system, 0) && 'heartbeat:engineer' in childrenOf(root));
    crash(childrenOf(root)['heartbeat:engineer']);
    expect(root.getSnapshot().context.conditions).toHaveProperty(['heartbeat:engineer']);
    root.send({ type: 'agents.synced', agents: [sampleAgent()], skipped: [] });
    expect(root.getSnapshot().context.conditions).toEqual({});
    root.stop();
  });

  it('is well again and has delivered everything when faults and crashes stop', async () => {
    await fc.assert(
      fc.asyncProperty(queue, steps, async (sessions, some) => {
        const system = startSystem(sessions);
        await takeAll(system, some);
        await allIsWell(system, () => isWell(system, sessions.length));
        const { around, root } = system;
        expect(around.wrongs).toEqual([]);
        expect([...around.marks].sort()).toEqual([...around.rows.keys()].sort());
        expect(root.getSnapshot().value).toBe('running');
        expect(root.getSnapshot().context.conditions).toEqual({});
        root.stop();
      }),
      { numRuns: 150 },
    );
  });

  it('ends on SIGTERM within its deadline, from any moment, although nothing answers any more', async () => {
    await fc.assert(
      fc.asyncProperty(queue, steps, fc.boolean(), async (sessions, some, isUrgent) => {
        const system = startSystem(sessions);
        await takeAll(system, some);
        const { root, clock, around } = system;
        root.send({ type: 'signal.terminate', signal: 'SIGTERM' });
        if (isUrgent && root.getSnapshot().status === 'active') {
          clock.increment(250);
          await settle();
          root.send({ type: 'signal.terminate', signal: 'SIGTERM' });
        }
        for (const ms of [...(isUrgent ? [] : [DRAIN_MS]), 700, 900, 300]) {
          await settle();
          if (root.getSnapshot().status === 'active') clock.increment(ms);
        }
        expect(root.getSnapshot()).toMatchObject({
          status: 'done',
          output: { exitCode: 0, reason: 'stopped by SIGTERM' },
        });
        expect(countActive(root)).toBe(0);
        expect(around.wrongs).toEqual([]);
        await settle();
        expect(around.calls).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
