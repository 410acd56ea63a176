/** What the words of the supervisor's chart mean: its guards, delays and actions. */
import { assign, enqueueActions, fromCallback, setup } from 'xstate';
import { agentSyncMachine } from '../agent-sync/machine.ts';
import { deliveryMachine } from '../delivery/machine.ts';
import { extensionsMachine } from '../extensions/machine.ts';
import { gatewayMachine } from '../gateway/machine.ts';
import { heartbeatMachine } from '../heartbeat/machine.ts';
import { journalMachine } from '../journal/machine.ts';
import type { BackoffLimits } from '../shared/backoff.ts';
import type { ConditionChanged } from '../shared/condition.ts';
import type { Gate } from '../shared/evidence.ts';
import { faultOf } from '../shared/fault.ts';
import type { AgentRow } from '../shared/mission-control.ts';
import { reap } from '../shared/reap.ts';
import type { Tag } from '../shared/tags.ts';
import { otherRuntimeMachine } from '../other-runtime/machine.ts';
import { pulseMachine } from '../pulse/machine.ts';
import { statusReporterMachine } from '../status-reporter/machine.ts';
import { upgradeMachine, type UpgradeEvent } from '../upgrade/machine.ts';
import {
  accountStatus,
  EXIT,
  heartbeatId,
  SAME_SIGNAL_MS,
  type SupervisorContext,
  type SupervisorEvent,
  type SupervisorInput,
  type SupervisorOutput,
} from './context.ts';
import { forgive, judgeCrash, WINDOW_MS, withDependants } from './policy.ts';

/** How long the start waits for the gateway's first answer, so that the first status is right; in milliseconds. */
const SETTLE_LIMIT_MS = 1_000;

/** How soon a disk that failed is tried again: it should be noticed soon when somebody has made space. */
const DISK_BACKOFF: BackoffLimits = { baseMs: 1_000, capMs: 15_000 };

const parts = setup({
  types: {} as {
    context: SupervisorContext;
    input: SupervisorInput;
    events: SupervisorEvent;
    output: SupervisorOutput;
    tags: Tag;
  },
  actors: {
    serveHealth: fromCallback<{ type: 'health.close' }, null>(() => undefined),
    gateway: gatewayMachine,
    statusReporter: statusReporterMachine,
    upgrade: upgradeMachine,
    agentSync: agentSyncMachine,
    heartbeat: heartbeatMachine,
    delivery: deliveryMachine,
    extensions: extensionsMachine,
    journal: journalMachine,
    otherRuntime: otherRuntimeMachine,
    pulse: pulseMachine,
  },
  guards: {
    deliveryGone: ({ context }) => !context.alive.includes('delivery'),
    upgradeGone: ({ context }) => !context.alive.includes('upgrade'),
    nothingToReport: ({ context }) =>
      context.exitCode === EXIT.upgrade || !context.alive.includes('statusReporter'),
    supervised: ({ context }, params: { actorId: string }) => context.alive.includes(params.actorId),
    budgetSpent: ({ context }, params: { actorId: string; error: unknown }) =>
      judgeCrash(context.ledger, params.actorId, '').kind === 'escalate',
    down: ({ context }, params: { id: string }) => !context.alive.includes(params.id),
  },
  delays: {
    settleLimit: SETTLE_LIMIT_MS,
    drainDeadline: ({ context }) => context.drainMs,
    sameSignalWindow: SAME_SIGNAL_MS,
    abortGrace: 500,
    lastWordLimit: 800,
    closeLimit: 200,
  },
});

// The actions come in a second step, because XState's types otherwise lose the delays and actors of the first step.
export const supervisorSetup = parts.extend({
  actions: {
    startChild: enqueueActions(({ enqueue, context, self }, { id }: { id: string }) => {
      const { random, now } = context;
      switch (id) {
        case 'health':
          enqueue.spawnChild('serveHealth', { id, systemId: id, input: null });
          break;
        case 'gateway':
          enqueue.spawnChild('gateway', {
            id,
            systemId: id,
            input: {
              parent: self,
              configured: context.gatewayConfigured,
              reconnect: context.reconnect,
              accountAgents: context.agents.length,
              random,
            },
          });
          break;
        case 'journal':
          enqueue.spawnChild('journal', {
            id,
            systemId: id,
            input: { parent: self, disk: DISK_BACKOFF, random },
          });
          break;
        case 'otherRuntime':
          enqueue.spawnChild('otherRuntime', { id, systemId: id, input: { parent: self } });
          break;
        case 'pulse':
          enqueue.spawnChild('pulse', { id, systemId: id, input: { parent: self } });
          break;
        case 'statusReporter':
          enqueue.spawnChild('statusReporter', {
            id,
            systemId: id,
            input: {
              parent: self,
              status: accountStatus(context),
              intervalMs: context.statusIntervalMs,
              random,
              now,
            },
          });
          break;
        case 'upgrade':
          enqueue.spawnChild('upgrade', {
            id,
            systemId: id,
            input: { parent: self, mode: context.upgradeMode },
          });
          break;
        case 'agentSync':
          enqueue.spawnChild('agentSync', {
            id,
            systemId: id,
            input: {
              parent: self,
              intervalMs: context.syncIntervalMs,
              profileIntervalMs: context.profileIntervalMs,
              backend: context.delivery.backend,
              random,
              now,
            },
          });
          break;
        case 'delivery':
          enqueue.spawnChild('delivery', {
            id,
            systemId: id,
            input: {
              parent: self,
              settings: context.delivery,
              gate: context.gate,
              watched: context.watched,
              offerKnown: context.offered !== null,
              random,
              spent: context.spent,
              now,
              moment: context.moment,
            },
          });
          break;
        case 'extensions':
          enqueue.spawnChild('extensions', {
            id,
            systemId: id,
            input: { parent: self, wakeUp: context.wakeUp, backend: context.delivery.backend, random },
          });
          break;
        default: {
          const agent = context.agents.find((one) => heartbeatId(one) === id);
          if (agent === undefined) return;
          enqueue.spawnChild('heartbeat', { id, systemId: id, input: { parent: self, agent, random } });
        }
      }
      enqueue.assign({ alive: [...context.alive, id] });
    }),
    stopChildren: enqueueActions(({ enqueue, context }, { ids }: { ids: readonly string[] }) => {
      for (const id of ids.filter((one) => context.alive.includes(one))) enqueue.stopChild(id);
      enqueue.assign({ alive: context.alive.filter((id) => !ids.includes(id)) });
    }),
    stopHeartbeats: enqueueActions(({ enqueue, context }) => {
      for (const id of context.alive.filter(isHeartbeat)) enqueue.stopChild(id);
      enqueue.assign({ alive: context.alive.filter((id) => !isHeartbeat(id)) });
    }),
    /** Sends news to a child that is running. A child that is down gets the present state when it starts. */
    tell: enqueueActions(({ enqueue, context }, { id, event }: { id: string; event: ToChild }) => {
      if (context.alive.includes(id)) enqueue.sendTo(id, event);
    }),
    tellHeartbeats: enqueueActions(({ enqueue, context }, { event }: { event: ToChild }) => {
      for (const id of context.alive.filter(isHeartbeat)) enqueue.sendTo(id, event);
    }),
    /** The beats that were refused while delivery was down may come, although the gateway has no news. */
    recallBeats: enqueueActions(({ enqueue, context: { alive, gate } }, { id }: { id: string }) => {
      if (id !== 'delivery' || gate !== 'open') return;
      for (const one of alive.filter(isHeartbeat)) enqueue.sendTo(one, { type: 'gateway.available' });
    }),
    tellStatus: enqueueActions(({ enqueue, context }) => {
      if (!context.alive.includes('statusReporter')) return;
      enqueue.sendTo('statusReporter', { type: 'status.changed', status: accountStatus(context) });
    }),
    refuseBeat: enqueueActions(({ enqueue }, due: Extract<SupervisorEvent, { type: 'beat.due' }>) => {
      enqueue.sendTo(due.replyTo, { type: 'beat.refused' });
    }),
    setGate: assign((_, params: { gate: Gate }) => ({ gate: params.gate })),
    setOffered: assign((_, { functions }: { functions: readonly string[] }) => ({ offered: functions })),
    noteAsked: assign(({ context }) => ({ offered: context.offered ?? [] })),
    setWatched: assign((_, params: { watched: boolean }) => params),
    noteCondition: assign(({ context }, params: Omit<ConditionChanged, 'type'>) => {
      const others = Object.fromEntries(
        Object.entries(context.conditions).filter(([id]) => id !== params.source),
      );
      if (params.problem === null) return { conditions: others };
      const before = context.conditions[params.source];
      // Another problem of the same child begins now.
      const began = before?.problem === params.problem ? before.since : context.now();
      const { problem, since = began, severity = 'degraded', of = params.source } = params;
      return { conditions: { ...others, [params.source]: { problem, since, severity, of } } };
    }),
    /** New agents join, vanished ones leave, changes take effect at once. */
    reconcileHeartbeats: enqueueActions(
      ({ enqueue, context, self }, { agents }: { agents: readonly AgentRow[] }) => {
        const wanted = new Map(agents.map((agent) => [heartbeatId(agent), agent]));
        const gone = context.alive.filter((id) => isHeartbeat(id) && !wanted.has(id));
        const fresh = [...wanted].filter(([id]) => !context.alive.includes(id));
        const kept = context.alive.filter((id) => !gone.includes(id));
        for (const id of gone) enqueue.stopChild(id);
        for (const id of kept) {
          const agent = wanted.get(id);
          if (agent !== undefined) enqueue.sendTo(id, { type: 'agent.changed', agent });
        }
        for (const [id, agent] of fresh) {
          enqueue.spawnChild('heartbeat', {
            id,
            systemId: id,
            input: { parent: self, agent, random: context.random },
          });
        }
        enqueue.assign({
          agents,
          alive: [...kept, ...fresh.map(([id]) => id)],
          // A crashed child that waits for its restart is started here.
          conditions: Object.fromEntries(
            Object.entries(context.conditions).filter(([id]) => !fresh.some(([one]) => one === id)),
          ),
        });
      },
    ),
    reapChild: ({ self }, params: { actorId: string }) => reap(self.getSnapshot().children[params.actorId]),
    scheduleRestart: enqueueActions(({ enqueue, context }, params: { actorId: string; error: unknown }) => {
      const id = params.actorId;
      const message = faultOf(params.error).message;
      const verdict = judgeCrash(context.ledger, id, message);
      if (verdict.kind === 'escalate') return;
      const down = withDependants(id).filter((one) => context.alive.includes(one));
      for (const one of down) enqueue.stopChild(one);
      enqueue.assign({
        alive: context.alive.filter((one) => !down.includes(one)),
        ledger: verdict.ledger,
        restarts: { ...context.restarts, [id]: (context.restarts[id] ?? 0) + 1 },
        conditions: {
          ...Object.fromEntries(
            Object.entries(context.conditions).filter(([, { of }]) => !down.includes(of)),
          ),
          [id]: {
            problem: `${id} crashed and is being started again. ${message}`,
            severity: 'degraded' as const,
            since: context.now(),
            of: id,
          },
        },
        ...(id === 'gateway' && { gate: 'closed' as const }),
        ...(id === 'extensions' && { watched: false }),
      });
      if (id === 'extensions' && context.alive.includes('delivery') && !down.includes('delivery')) {
        enqueue.sendTo('delivery', { type: 'queue.unwatched' });
      }
      for (const one of down) {
        enqueue.raise({ type: 'child.restart', id: one }, { id: `restart:${one}`, delay: verdict.delayMs });
      }
      enqueue.raise({ type: 'child.forgiven', id }, { delay: WINDOW_MS });
    }),
    clearCondition: assign(({ context }, params: { id: string }) => ({
      // The gateway clears its own condition when it has answered, because its state is unknown before that.
      conditions: Object.fromEntries(
        Object.entries(context.conditions).filter(([id]) => id !== params.id || id === 'gateway'),
      ),
    })),
    forgiveChild: assign(({ context }, params: { id: string }) => ({
      ledger: forgive(context.ledger, params.id),
    })),
    loseChild: assign(({ context }, params: { actorId: string }) => ({
      alive: context.alive.filter((id) => id !== params.actorId),
    })),
    giveUpChild: assign(({ context }, params: { actorId: string; error: unknown }) => {
      const verdict = judgeCrash(context.ledger, params.actorId, faultOf(params.error).message);
      return {
        exitCode: EXIT.bug,
        exitReason: verdict.kind === 'escalate' ? verdict.reason : 'a child crashed',
      };
    }),
    leave: assign((_, params: { exitCode: number; exitReason: string }) => params),
    allowUpgradeDrain: assign(({ context }) => ({ drainMs: context.upgradeDrainTimeoutMs })),
  },
});

/** What the supervisor sends to its children. */
type ToChild =
  | Extract<
      SupervisorEvent,
      | { type: 'gateway.available' }
      | { type: 'gateway.trial' }
      | { type: 'gateway.lost' }
      | { type: 'gateway.suspected' }
      | { type: 'run.succeeded' }
      | { type: 'run.failed' }
      | { type: 'agents.synced' }
      | { type: 'backend.available' }
      | { type: 'extensions.asked' }
      | { type: 'extension.failed' }
      | { type: 'call.hangs' }
      | { type: 'call.ended' }
      | { type: 'delivery.poll' }
      | { type: 'gateway.probe' }
      | { type: 'beat.due' }
      | { type: 'queue.watched' }
      | { type: 'queue.unwatched' }
      | { type: 'queue.changed' }
      | { type: 'journal.available' }
      | { type: 'otherRuntime.counted' }
      | { type: 'otherRuntime.sighted' }
    >
  | UpgradeEvent
  | { type: 'agents.sync' }
  | { type: 'delivery.drain' }
  | { type: 'delivery.abort' }
  | { type: 'status.lastWord'; status: 'offline' }
  | { type: 'health.close' };

const isHeartbeat = (id: string): boolean => id.startsWith('heartbeat:');
