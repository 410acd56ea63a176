/** The whole runtime as machines: a running supervisor with all its children, and surroundings that a test answers for. */
import { createActor, fromCallback, fromPromise, SimulatedClock, type AnyActorRef } from 'xstate';
import { agentSyncMachine } from '../../machines/agent-sync/machine.ts';
import { createSurroundings, deliveryAmong, LIMITS, open, SETTINGS } from './schedule.ts';
import type { DeliverySnapshot } from './delivery-world.ts';
import { extensionsMachine } from '../../machines/extensions/machine.ts';
import { gatewayMachine, type Probe } from '../../machines/gateway/machine.ts';
import { heartbeatMachine } from '../../machines/heartbeat/machine.ts';
import type { AgentRow, PendingUpgrade, RuntimeStatus } from '../../machines/shared/mission-control.ts';
import { sampleAgent } from './samples/mission-control.ts';
import { statusReporterMachine } from '../../machines/status-reporter/machine.ts';
import type { UpgradeFacts } from '../../machines/upgrade/judge.ts';
import { upgradeMachine } from '../../machines/upgrade/machine.ts';
import { supervisorMachine, type SupervisorActor } from '../../machines/supervisor/machine.ts';

export const DRAIN_MS = 25_000;

const NOTHING_ASKED: UpgradeFacts = {
  pending: null,
  restartRequested: false,
  leftFor: null,
  running: { openclawVersion: '1', runtimeVersion: '1' },
};

/** @param sessions the queue: a row for each number, which names its session */
export function startSystem(sessions: readonly number[]) {
  const around = createSurroundings(sessions);
  const clock = new SimulatedClock();
  const call = <TOutput>(name: string, signal: AbortSignal, output: TOutput) =>
    open(around, name, signal, () => output);
  const machine = supervisorMachine.provide({
    actors: {
      serveHealth: fromCallback<{ type: 'health.close' }, null>(({ sendBack, receive }) => {
        sendBack({ type: 'health.listening', port: 1 });
        receive(() => sendBack({ type: 'health.closed' }));
      }),
      gateway: gatewayMachine.provide({
        actors: {
          probeGateway: fromPromise<Probe, { deep: boolean }>(({ signal }) =>
            call('probeGateway', signal, { version: '1', agents: ['engineer'] }),
          ),
        },
      }),
      delivery: deliveryAmong(around, () => deliveryIn(root)),
      statusReporter: statusReporterMachine.provide({
        actors: {
          reportStatus: fromPromise<{ asked: boolean }, { status: RuntimeStatus }>(({ signal }) =>
            call('reportStatus', signal, { asked: true }),
          ),
        },
      }),
      upgrade: upgradeMachine.provide({
        actors: {
          tellResult: fromPromise<string | null>(() => Promise.resolve(null)),
          checkUpgrade: fromPromise<UpgradeFacts, { asked: boolean }>(({ signal }) =>
            call('checkUpgrade', signal, NOTHING_ASKED),
          ),
          rememberExit: fromPromise<void, { pending: PendingUpgrade | null }>(() =>
            Promise.resolve(undefined),
          ),
        },
      }),
      agentSync: agentSyncMachine.provide({
        actors: {
          listAgents: fromPromise<AgentRow[]>(({ signal }) => call('listAgents', signal, [sampleAgent()])),
        },
      }),
      extensions: extensionsMachine.provide({
        actors: {
          askExtensions: fromPromise(({ signal }) => call('askExtensions', signal, [])),
        },
      }),
      heartbeat: heartbeatMachine.provide({
        actors: {
          reportUnreachable: fromPromise<void, { agentId: string }>(({ signal }) =>
            call('reportUnreachable', signal, undefined),
          ),
        },
      }),
    },
  });
  const input = {
    gatewayConfigured: true,
    delivery: SETTINGS,
    reconnect: LIMITS,
    wakeUp: true,
    statusIntervalMs: 30_000,
    syncIntervalMs: 300_000,
    profileIntervalMs: null,
    upgradeMode: 'exit' as const,
    drainTimeoutMs: DRAIN_MS,
    upgradeDrainTimeoutMs: 600_000,
    random: () => 0.5,
    spent: () => [],
    now: () => 0,
    moment: () => ({ boot: 'boot', ms: 0 }),
  };
  const root: SupervisorActor = createActor(machine, { id: 'supervisor', clock, input });
  root.start();
  return { around, clock, root };
}

export type System = ReturnType<typeof startSystem>;

export function childrenOf(actor: AnyActorRef): Record<string, AnyActorRef | undefined> {
  const { children = {} } = actor.getSnapshot() as { children?: Record<string, AnyActorRef | undefined> };
  return children;
}

/** Where delivery stands; null while it is down. */
export function deliveryIn(root: SupervisorActor): DeliverySnapshot | null {
  const snapshot = childrenOf(root).delivery?.getSnapshot() as DeliverySnapshot | undefined;
  return snapshot?.status === 'active' ? snapshot : null;
}

export function countActive(actor: AnyActorRef): number {
  const below = Object.values(childrenOf(actor)).reduce(
    (sum, child) => sum + (child ? countActive(child) : 0),
    0,
  );
  const { status } = actor.getSnapshot() as { status: string };
  return below + (status === 'active' ? 1 : 0);
}

/** A running child fails as a bug in it would make it fail: with an error that nobody in it handles. */
export function crash(actor: AnyActorRef | undefined): void {
  if ((actor?.getSnapshot() as { status: string } | undefined)?.status !== 'active') return;
  actor?.send({ type: 'xstate.error.actor.bug', actorId: 'bug', error: new Error('a bug') });
}
