import type { ActorRefFrom } from 'xstate';
import { crashOf } from '../shared/crash.ts';
import { EXIT } from './context.ts';
import { supervisorSetup } from './setup.ts';

export const supervisorMachine = supervisorSetup.createMachine({
  id: 'supervisor',
  description: 'Starts, watches, restarts and stops everything else. It alone owns the drain deadline.',
  context: ({ input }) => ({
    ...input,
    alive: [],
    ledger: {},
    restarts: {},
    gate: 'closed',
    offered: null,
    watched: false,
    // The gateway counts as degraded until it has answered, so that the first report does not promise too much.
    conditions: {
      gateway: {
        problem: 'The gateway has not answered yet.',
        severity: 'degraded',
        since: input.now(),
        of: 'gateway',
      },
    },
    agents: [],
    drainMs: input.drainTimeoutMs,
    exitCode: EXIT.stopped,
    exitReason: 'stopped',
  }),
  output: ({ context }) => ({ exitCode: context.exitCode, reason: context.exitReason }),
  initial: 'starting',
  on: {
    // Only this table knows which child must hear the news of another.
    'gateway.available': {
      actions: [
        { type: 'setGate', params: { gate: 'open' } },
        { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) },
        { type: 'tellHeartbeats', params: ({ event }) => ({ event }) },
      ],
    },
    'gateway.trial': {
      actions: [
        { type: 'setGate', params: { gate: 'trial' } },
        { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) },
      ],
    },
    'gateway.lost': {
      actions: [
        { type: 'setGate', params: { gate: 'closed' } },
        { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) },
      ],
    },
    'gateway.suspected': { actions: { type: 'tell', params: ({ event }) => ({ id: 'gateway', event }) } },
    'run.succeeded': { actions: { type: 'tell', params: ({ event }) => ({ id: 'gateway', event }) } },
    'run.failed': { actions: { type: 'tell', params: ({ event }) => ({ id: 'gateway', event }) } },
    // The agent may be new. Reading the agents now also hands it to the gateway.
    'agent.unknown': {
      actions: { type: 'tell', params: { id: 'agentSync', event: { type: 'agents.sync' } } },
    },
    'condition.changed': {
      actions: [{ type: 'noteCondition', params: ({ event }) => event }, 'tellStatus'],
    },
    'backend.available': {
      actions: [
        { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) },
        { type: 'tell', params: ({ event }) => ({ id: 'agentSync', event }) },
        { type: 'tell', params: ({ event }) => ({ id: 'statusReporter', event }) },
        { type: 'tell', params: ({ event }) => ({ id: 'extensions', event }) },
      ],
    },
    'extensions.known': { actions: { type: 'setOffered', params: ({ event }) => event } },
    'extensions.asked': {
      actions: ['noteAsked', { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) }],
    },
    'extension.failed': { actions: { type: 'tell', params: ({ event }) => ({ id: 'extensions', event }) } },
    'call.hangs': { actions: { type: 'tell', params: ({ event }) => ({ id: 'pulse', event }) } },
    'call.ended': { actions: { type: 'tell', params: ({ event }) => ({ id: 'pulse', event }) } },
    'queue.watched': {
      actions: [
        { type: 'setWatched', params: { watched: true } },
        { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) },
      ],
    },
    'queue.unwatched': {
      actions: [
        { type: 'setWatched', params: { watched: false } },
        { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) },
      ],
    },
    'queue.changed': { actions: { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) } },
    'journal.available': { actions: { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) } },
    'otherRuntime.counted': {
      actions: { type: 'tell', params: ({ event }) => ({ id: 'otherRuntime', event }) },
    },
    'otherRuntime.sighted': {
      actions: { type: 'tell', params: ({ event }) => ({ id: 'otherRuntime', event }) },
    },
    'status.reported': {
      actions: {
        type: 'tell',
        params: ({ event }) => ({
          id: 'upgrade',
          event: { type: 'upgrade.check' as const, asked: event.asked },
        }),
      },
    },
    'upgrade.check': { actions: { type: 'tell', params: ({ event }) => ({ id: 'upgrade', event }) } },
    'delivery.poll': { actions: { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) } },
    'gateway.probe': { actions: { type: 'tell', params: ({ event }) => ({ id: 'gateway', event }) } },
    'beat.due': [
      { guard: 'deliveryGone', actions: { type: 'refuseBeat', params: ({ event }) => event } },
      { actions: { type: 'tell', params: ({ event }) => ({ id: 'delivery', event }) } },
    ],
    'child.restart': {
      guard: { type: 'down', params: ({ event }) => event },
      actions: [
        { type: 'startChild', params: ({ event }) => event },
        { type: 'recallBeats', params: ({ event }) => event },
        { type: 'clearCondition', params: ({ event }) => event },
        'tellStatus',
      ],
    },
    'child.forgiven': { actions: { type: 'forgiveChild', params: ({ event }) => event } },
    'signal.terminate': {
      target: '.draining.quiescing.sameSignal',
      actions: {
        type: 'leave',
        params: ({ event }) => ({ exitCode: EXIT.stopped, exitReason: `stopped by ${event.signal}` }),
      },
    },
    'signal.upgrade': [
      {
        guard: 'upgradeGone',
        target: '.draining',
        actions: [
          {
            type: 'leave',
            params: { exitCode: EXIT.upgrade, exitReason: 'an upgrade exit was forced by SIGUSR2' },
          },
          'allowUpgradeDrain',
        ],
      },
      { actions: { type: 'tell', params: { id: 'upgrade', event: { type: 'upgrade.force' } } } },
    ],
    'upgrade.requested': {
      target: '.draining',
      actions: [
        { type: 'leave', params: ({ event }) => ({ exitCode: EXIT.upgrade, exitReason: event.reason }) },
        'allowUpgradeDrain',
      ],
    },
    'process.crashed': {
      target: '.failing',
      actions: { type: 'leave', params: ({ event }) => ({ exitCode: EXIT.bug, exitReason: event.reason }) },
    },
    // An unhandled error of a child is a bug; its expected failures are states of its own.
    'xstate.error.actor.*': [
      {
        guard: { type: 'budgetSpent', params: crashOf },
        target: '.failing',
        actions: [
          { type: 'reapChild', params: crashOf },
          { type: 'loseChild', params: crashOf },
          { type: 'giveUpChild', params: crashOf },
        ],
      },
      {
        guard: { type: 'supervised', params: crashOf },
        actions: [
          { type: 'reapChild', params: crashOf },
          { type: 'scheduleRestart', params: crashOf },
          'tellStatus',
        ],
      },
    ],
    // The supervisor does nothing with these. The log and the metrics read them here.
    'session.crashed': {},
    'upgrade.noticed': {},
    'upgrade.resultLost': {},
    'queue.unwatchable': {},
  },
  states: {
    starting: {
      description: 'Brings the children up, the health server first. Waits for nobody outside.',
      tags: ['starting'],
      initial: 'health',
      on: {
        'health.failed': {
          target: 'stopped',
          actions: {
            type: 'leave',
            params: ({ event }) => ({ exitCode: EXIT.cannotBind, exitReason: event.reason }),
          },
        },
      },
      states: {
        health: {
          description: 'Opens the health port, so that the process can be seen from its first moment.',
          entry: { type: 'startChild', params: { id: 'health' } },
          on: { 'health.listening': 'gateway' },
        },
        gateway: {
          description: 'Looks at the gateway once; a gateway that does not answer holds nothing up.',
          entry: { type: 'startChild', params: { id: 'gateway' } },
          on: {
            'gateway.available': {
              target: 'workers',
              actions: { type: 'setGate', params: { gate: 'open' } },
            },
            'gateway.lost': { target: 'workers', actions: { type: 'setGate', params: { gate: 'closed' } } },
          },
          after: { settleLimit: 'workers' },
        },
        workers: {
          description: 'Starts all others.',
          entry: [
            { type: 'startChild', params: { id: 'journal' } },
            { type: 'startChild', params: { id: 'otherRuntime' } },
            { type: 'startChild', params: { id: 'pulse' } },
            { type: 'startChild', params: { id: 'statusReporter' } },
            { type: 'startChild', params: { id: 'upgrade' } },
            { type: 'startChild', params: { id: 'agentSync' } },
            { type: 'startChild', params: { id: 'delivery' } },
            { type: 'startChild', params: { id: 'extensions' } },
          ],
          always: '#supervisor.running',
        },
      },
    },
    running: {
      description: 'Everything is up. Whether all is well is in the conditions of the children.',
      tags: ['ready'],
      on: {
        'agents.synced': {
          actions: [
            { type: 'reconcileHeartbeats', params: ({ event }) => event },
            { type: 'tell', params: ({ event }) => ({ id: 'gateway', event }) },
          ],
        },
      },
    },
    failing: {
      description: 'A bug that restarts do not cure: leave in good order, with exit code 70.',
      tags: ['failed'],
      always: 'draining',
    },
    draining: {
      description: 'Leaves in good order: finish work, say goodbye, close the doors.',
      tags: ['draining'],
      initial: 'quiescing',
      on: {
        // During a drain no crashed child is started again.
        'xstate.error.actor.*': {
          guard: { type: 'supervised', params: crashOf },
          actions: [
            { type: 'reapChild', params: crashOf },
            { type: 'loseChild', params: crashOf },
          ],
        },
        'child.restart': {},
        'upgrade.requested': {},
        'signal.upgrade': {},
        'process.crashed': {},
      },
      states: {
        quiescing: {
          description: 'No new run; what is under way may finish until the deadline.',
          entry: [
            { type: 'tell', params: { id: 'delivery', event: { type: 'delivery.drain' } } },
            'stopHeartbeats',
            {
              type: 'stopChildren',
              params: { ids: ['extensions', 'agentSync', 'upgrade', 'otherRuntime'] },
            },
          ],
          initial: 'finishing',
          always: { guard: 'deliveryGone', target: 'parting' },
          on: {
            'xstate.done.actor.delivery': {
              actions: { type: 'stopChildren', params: { ids: ['delivery'] } },
            },
            'signal.terminate': 'aborting',
          },
          after: { drainDeadline: 'aborting' },
          states: {
            sameSignal: {
              description:
                'A terminal and npm both pass one Ctrl-C on: what comes this soon after the first signal is the same one.',
              on: { 'signal.terminate': {} },
              after: { sameSignalWindow: 'finishing' },
            },
            finishing: {
              description: 'A signal from now on comes from somebody who does not want to wait.',
            },
          },
        },
        aborting: {
          description: 'The time is over, or a second signal came: runs are cut off and handed back.',
          entry: { type: 'tell', params: { id: 'delivery', event: { type: 'delivery.abort' } } },
          always: { guard: 'deliveryGone', target: 'parting' },
          on: {
            'xstate.done.actor.delivery': {
              actions: { type: 'stopChildren', params: { ids: ['delivery'] } },
            },
            'signal.terminate': {},
          },
          after: { abortGrace: 'parting' },
        },
        parting: {
          description:
            'Is there a last word? Not before a restart or an upgrade: offline and online again would be told to every member.',
          entry: { type: 'stopChildren', params: { ids: ['delivery', 'pulse'] } },
          always: [{ guard: 'nothingToReport', target: 'closing' }, { target: 'reporting' }],
        },
        reporting: {
          description: 'The last word to Mission Control: offline.',
          entry: {
            type: 'tell',
            params: { id: 'statusReporter', event: { type: 'status.lastWord', status: 'offline' } },
          },
          on: { 'xstate.done.actor.statusReporter': 'closing', 'signal.terminate': {} },
          after: { lastWordLimit: 'closing' },
        },
        closing: {
          description: 'Closes the gateway connection and, last of all, the health port.',
          entry: [
            { type: 'stopChildren', params: { ids: ['statusReporter', 'gateway', 'journal'] } },
            { type: 'tell', params: { id: 'health', event: { type: 'health.close' } } },
          ],
          on: { 'health.closed': '#supervisor.stopped', 'signal.terminate': {} },
          after: { closeLimit: '#supervisor.stopped' },
        },
      },
    },
    stopped: {
      description: 'The end: the output says with which code, and why.',
      type: 'final',
    },
  },
});

export type SupervisorActor = ActorRefFrom<typeof supervisorMachine>;
