/** Children crash, with the real machines and fake surroundings: which ones are started again, and which are left alone. */
import { NO_LIMITS } from '../shared/spending.ts';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  createActor,
  fromCallback,
  fromPromise,
  SimulatedClock,
  toPromise,
  type ActorRefFrom,
  type AnyActorRef,
} from 'xstate';
import { agentSyncMachine } from '../agent-sync/machine.ts';
import { deliveryMachine } from '../delivery/machine.ts';
import { extensionsMachine } from '../extensions/machine.ts';
import { gatewayMachine, type Probe } from '../gateway/machine.ts';
import { heartbeatMachine } from '../heartbeat/machine.ts';
import type { ListInput, Page } from '../delivery/context.ts';
import type { RuntimeStatus } from '../shared/mission-control.ts';
import { sampleAgent } from '../../test/kits/samples/mission-control.ts';
import { statusReporterMachine } from '../status-reporter/machine.ts';
import type { UpgradeFacts } from '../upgrade/judge.ts';
import { upgradeMachine } from '../upgrade/machine.ts';
import { supervisorMachine, type SupervisorActor } from './machine.ts';
import { CHILD_BUDGET } from './policy.ts';

const HEARTBEAT = 'heartbeat:engineer';
const CHILDREN = [
  'health',
  'gateway',
  'journal',
  'otherRuntime',
  'pulse',
  'statusReporter',
  'upgrade',
  'agentSync',
  'delivery',
  'extensions',
  HEARTBEAT,
];

const started: SupervisorActor[] = [];
afterEach(() => {
  for (const actor of started.splice(0)) actor.stop();
});

const nothingAsked: UpgradeFacts = {
  pending: null,
  restartRequested: false,
  leftFor: null,
  running: { openclawVersion: '1', runtimeVersion: '1' },
};
const backoff = { baseMs: 100, capMs: 1_000 };

/** The supervisor with surroundings that always succeed. */
async function startSupervisor() {
  const clock = new SimulatedClock();
  const closed: string[] = [];
  const machine = supervisorMachine.provide({
    actors: {
      serveHealth: fromCallback<{ type: 'health.close' }, null>(({ sendBack, receive }) => {
        sendBack({ type: 'health.listening', port: 1 });
        receive(() => sendBack({ type: 'health.closed' }));
        return () => closed.push('health');
      }),
      gateway: gatewayMachine.provide({
        actors: {
          probeGateway: fromPromise<Probe, { deep: boolean }>(() =>
            Promise.resolve({ version: '1', agents: ['engineer'] }),
          ),
        },
      }),
      statusReporter: statusReporterMachine.provide({
        actors: {
          reportStatus: fromPromise<{ asked: boolean }, { status: RuntimeStatus }>(() =>
            Promise.resolve({ asked: true }),
          ),
        },
      }),
      upgrade: upgradeMachine.provide({
        actors: {
          tellResult: fromPromise<string | null>(() => Promise.resolve(null)),
          checkUpgrade: fromPromise<UpgradeFacts, { asked: boolean }>(() => Promise.resolve(nothingAsked)),
        },
      }),
      agentSync: agentSyncMachine.provide({
        actors: { listAgents: fromPromise(() => Promise.resolve([sampleAgent()])) },
      }),
      heartbeat: heartbeatMachine,
      extensions: extensionsMachine.provide({
        actors: { askExtensions: fromPromise<readonly string[]>(() => Promise.resolve(['wakeUp'])) },
      }),
      delivery: deliveryMachine.provide({
        actors: {
          listUndelivered: fromPromise<Page, ListInput>(() =>
            Promise.resolve({ rows: [], listed: 0, unseen: false, cursor: null }),
          ),
        },
      }),
    },
  });
  const root: SupervisorActor = createActor(machine, {
    clock,
    input: {
      gatewayConfigured: true,
      delivery: {
        intervalMs: 60_000,
        backend: backoff,
        runs: backoff,
        maxConcurrentSessions: 2,
        stallAfterMs: 300_000,
        tokenLimits: NO_LIMITS,
        listLimit: 10,
        chainLimit: 12,
      },
      reconnect: backoff,
      wakeUp: true,
      statusIntervalMs: 30_000,
      syncIntervalMs: 60_000,
      profileIntervalMs: null,
      upgradeMode: 'exit',
      drainTimeoutMs: 10_000,
      upgradeDrainTimeoutMs: 10_000,
      random: () => 0.5,
      spent: () => [],
      now: () => clock.now(),
      moment: () => ({ boot: 'boot', ms: 0 }),
    },
  });
  started.push(root);
  root.start();
  await vi.waitFor(() => expect(Object.keys(childrenOf(root)).sort()).toEqual([...CHILDREN].sort()));
  await settled();
  return { root, clock, closed };
}

const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
};

function childrenOf(actor: AnyActorRef): Record<string, AnyActorRef> {
  const { children = {} } = actor.getSnapshot() as { children?: Record<string, AnyActorRef> };
  return children;
}

const sessions = (root: AnyActorRef): Record<string, string> =>
  Object.fromEntries(Object.entries(childrenOf(root)).map(([id, child]) => [id, child.sessionId]));

/** Every actor that is alive below this one. */
function countActive(actor: AnyActorRef): number {
  const below = Object.values(childrenOf(actor)).reduce((sum, child) => sum + countActive(child), 0);
  const { status } = actor.getSnapshot() as { status: string };
  return below + (status === 'active' ? 1 : 0);
}

/** Makes a running child crash as a bug would: with an error that it does not handle. */
function crash(root: AnyActorRef, id: string): void {
  const child = childrenOf(root)[id];
  if (child === undefined) throw new Error(`${id} is not up`);
  // XState sends this to a machine whose invoked actor failed without an onError; the machine goes to its error state.
  child.send({ type: 'xstate.error.actor.bug', actorId: 'bug', error: new Error(`a bug in ${id}`) });
}

const crashable = CHILDREN.filter((id) => id !== 'health');

describe.each(crashable)('%s crashes', (id) => {
  test('and is started again, and nobody else is disturbed', async () => {
    const { root, clock } = await startSupervisor();
    const before = sessions(root);
    const alive = countActive(root);

    crash(root, id);
    expect(root.getSnapshot().context.conditions).toHaveProperty([id]);
    const dependants = id === 'gateway' ? ['delivery'] : [];
    expect(Object.keys(childrenOf(root))).not.toContain(id);
    clock.increment(100);
    await vi.waitFor(() => expect(countActive(root)).toBe(alive));

    const after = sessions(root);
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
    for (const child of Object.keys(before)) {
      const restarted = child === id || dependants.includes(child);
      expect(after[child] !== before[child], `${child} was restarted`).toBe(restarted);
    }
    expect(root.getSnapshot().context.restarts).toEqual({ [id]: 1 });
    expect(root.getSnapshot().value).toBe('running');
    await vi.waitFor(() => expect(root.getSnapshot().context.conditions).toEqual({}));
  });
});

test('a child that crashes again and again takes the process with it, with the reason', async () => {
  const { root, clock } = await startSupervisor();
  const output = toPromise(root);
  for (let crashes = 0; crashes < CHILD_BUDGET; crashes += 1) {
    crash(root, 'agentSync');
    clock.increment(1_600);
    await vi.waitFor(() => expect(childrenOf(root)).toHaveProperty('agentSync'));
  }
  expect(root.getSnapshot().value).toBe('running');
  crash(root, 'agentSync');
  await expect(output).resolves.toEqual({
    exitCode: 70,
    reason: `agentSync crashed ${CHILD_BUDGET + 1} times within a minute, last with: a bug in agentSync`,
  });
  expect(countActive(root)).toBe(0);
});

test('crashes that are a while apart are forgiven', async () => {
  const { root, clock } = await startSupervisor();
  for (let crashes = 0; crashes < 3 * CHILD_BUDGET; crashes += 1) {
    crash(root, 'upgrade');
    clock.increment(61_000);
    await vi.waitFor(() => expect(childrenOf(root)).toHaveProperty('upgrade'));
  }
  expect(root.getSnapshot().value).toBe('running');
});

test('a problem is as old as itself, not as an earlier one of the same child', async () => {
  const { root, clock } = await startSupervisor();
  const tell = (problem: string): void =>
    root.send({ type: 'condition.changed', source: 'gateway', problem });
  const since = () => root.getSnapshot().context.conditions.gateway?.since;
  tell('It does not answer.');
  const first = clock.now();
  clock.increment(1_000);
  tell('It does not answer.');
  expect(since()).toBe(first);
  tell('It refuses the token.');
  expect(since()).toBe(first + 1_000);
});

test('a beat that was refused while delivery was down comes soon after its restart', async () => {
  const { root, clock } = await startSupervisor();
  const heartbeat = childrenOf(root)[HEARTBEAT] as ActorRefFrom<typeof heartbeatMachine>;
  clock.increment(heartbeat.getSnapshot().context.nextInMs - 50);
  crash(root, 'delivery');
  clock.increment(50);
  expect(heartbeat.getSnapshot().value).toBe('reporting');
  clock.increment(50);
  expect(childrenOf(root)).toHaveProperty('delivery');
  expect(heartbeat.getSnapshot().value).toBe('resting');
});

test('nobody is started again on the way out', async () => {
  const { root, clock } = await startSupervisor();
  crash(root, 'delivery');
  root.send({ type: 'signal.terminate', signal: 'SIGTERM' });
  clock.increment(100);
  await expect(toPromise(root)).resolves.toEqual({ exitCode: 0, reason: 'stopped by SIGTERM' });
});

test('the health port closes last', async () => {
  const { root, closed } = await startSupervisor();
  root.send({ type: 'signal.terminate', signal: 'SIGTERM' });
  await expect(toPromise(root)).resolves.toMatchObject({ exitCode: 0 });
  expect(root.getSnapshot().context.alive).toEqual(['health']);
  expect(closed).toEqual(['health']);
  expect(countActive(root)).toBe(0);
});
