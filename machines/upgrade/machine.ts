import { assign, enqueueActions, fromPromise, setup } from 'xstate';
import type { ConditionChanged } from '../shared/condition.ts';
import { faultParams, type Fault } from '../shared/fault.ts';
import type { PendingUpgrade } from '../shared/mission-control.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';
import { judge, type UpgradeFacts, type UpgradeVerdict } from './judge.ts';

interface UpgradeInput {
  parent: Parent<UpgradeNews>;
  /** `notify` only tells; `exit` leaves so that the new image can start. */
  mode: 'exit' | 'notify';
}

export type UpgradeNews =
  | { type: 'upgrade.requested'; reason: string }
  /** UPGRADE_MODE=notify, and an upgrade is asked for; sent once per request. */
  | { type: 'upgrade.noticed'; notice: string }
  /** The result of the last upgrade cannot be reported; sent once per reason. */
  | { type: 'upgrade.resultLost'; problem: string }
  | ConditionChanged;

/** `asked`: false where Mission Control has just said that it asks for nothing. */
export type UpgradeEvent = { type: 'upgrade.check'; asked?: boolean } | { type: 'upgrade.force' };

interface UpgradeContext extends UpgradeInput {
  /** false: Mission Control has said that it asks for nothing, so it is not asked. */
  asked: boolean;
  verdict: UpgradeVerdict;
  pending: PendingUpgrade | null;
  /** What is asked for, in one sentence for `/health` and the log; null when nothing is asked. */
  notice: string | null;
  /** Why the result of the last upgrade cannot be reported; null when there is no result or it was reported. */
  resultProblem: string | null;
  /** How often in a row Mission Control could not be asked. */
  unheard: number;
}

/** Once may be chance. */
const UNHEARD = 2;
const ASK_AGAIN_MS = 5_000;

const notProvided = (): Promise<never> =>
  Promise.reject(new Error('this actor is provided by src/runtime.ts'));

const requests = (problem: string | null): ConditionChanged => ({
  type: 'condition.changed',
  source: 'requests',
  of: 'upgrade',
  problem,
});

/** The problem of a request that this process cannot carry out; null when there is none. */
const heldBackOf = ({ verdict, notice }: Pick<UpgradeContext, 'verdict' | 'notice'>): string | null =>
  verdict === 'heldBack' ? `The upgrade did not change the version: ${notice ?? ''}.` : null;

const upgradeSetup = setup({
  types: {} as { context: UpgradeContext; input: UpgradeInput; events: UpgradeEvent; tags: Tag },
  actors: {
    /**
     * Reports the result that the upgrade script has left in STATE_DIR. Rejects while Mission Control cannot take it. The
     * output is null, or says why the result can never be reported.
     */
    tellResult: fromPromise<string | null>(notProvided),
    checkUpgrade: fromPromise<UpgradeFacts, { asked: boolean }>(notProvided),
    /** Stores the request that this process leaves for, so that the next process does not leave for it again. */
    rememberExit: fromPromise<void, { pending: PendingUpgrade | null }>(notProvided),
  },
  guards: {
    unheard: ({ context }) => context.unheard > 0,
    leave: ({ context }) => context.verdict === 'leave',
    available: ({ context }) => context.verdict === 'available',
    heldBack: ({ context }) => context.verdict === 'heldBack',
  },
  delays: { askAgain: ASK_AGAIN_MS },
  actions: {
    noteAsked: assign((_, { asked = true }: { asked?: boolean }) => ({ asked })),
    keepFacts: enqueueActions(({ enqueue, context }, params: { facts: UpgradeFacts }) => {
      const { verdict, notice } = judge(params.facts, context.mode);
      enqueue.assign({ pending: params.facts.pending, verdict, notice });
      const isNew = notice !== null && notice !== context.notice;
      if (isNew && verdict === 'available') {
        enqueue.sendTo(context.parent, { type: 'upgrade.noticed', notice });
      }
      // It stays a problem until somebody runs the upgrade script, or takes the request back.
      const [before, problem] = [heldBackOf(context), heldBackOf({ verdict, notice })];
      if (problem !== before) {
        enqueue.sendTo(context.parent, { type: 'condition.changed', source: 'upgrade', problem });
      }
    }),
    noteHeard: enqueueActions(({ enqueue, context }) => {
      enqueue.assign({ unheard: 0 });
      if (context.unheard >= UNHEARD) enqueue.sendTo(context.parent, requests(null));
    }),
    noteUnheard: enqueueActions(({ enqueue, context }, { fault }: { fault: Fault }) => {
      const unheard = context.unheard + 1;
      enqueue.assign({ unheard });
      const problem = `Mission Control cannot be asked for upgrades and restarts. ${fault.message}`;
      if (unheard === UNHEARD) enqueue.sendTo(context.parent, requests(problem));
    }),
    noteResult: enqueueActions(({ enqueue, context }, { problem }: { problem: string | null }) => {
      enqueue.assign({ resultProblem: problem });
      if (problem === null || problem === context.resultProblem) return;
      enqueue.sendTo(context.parent, { type: 'upgrade.resultLost', problem });
    }),
    noteForced: assign({ notice: 'an upgrade exit was forced by SIGUSR2' }),
    requestDrain: enqueueActions(({ enqueue, context }) => {
      enqueue.sendTo(context.parent, {
        type: 'upgrade.requested',
        reason: context.notice ?? 'an upgrade was asked for',
      });
    }),
  },
});

const check = {
  target: 'telling',
  actions: { type: 'noteAsked', params: ({ event }: { event: { asked?: boolean } }) => event },
} as const;

/** Waits for the next status report, or not so long where the last question was not answered. */
const settled = {
  on: { 'upgrade.check': check },
  after: { askAgain: { guard: 'unheard', target: 'telling' } },
} as const;

export const upgradeMachine = upgradeSetup.createMachine({
  id: 'upgrade',
  description: 'Whether this runtime is asked to become another version, or to start again.',
  context: ({ input }) => ({
    ...input,
    asked: true,
    verdict: 'current',
    pending: null,
    notice: null,
    resultProblem: null,
    unheard: 0,
  }),
  initial: 'current',
  on: { 'upgrade.force': { target: '.committing', actions: 'noteForced' } },
  states: {
    current: {
      description: 'Nothing is asked of this runtime.',
      tags: ['ready'],
      ...settled,
    },
    available: {
      description: 'An upgrade is asked for; UPGRADE_MODE=notify only tells.',
      tags: ['ready', 'attention'],
      ...settled,
    },
    heldBack: {
      description:
        'This runtime has left for this upgrade once and came back as the same version: it works on and does not leave again for the same request.',
      tags: ['ready', 'attention'],
      ...settled,
    },
    telling: {
      description:
        'Tells the result of the last upgrade first: it settles the request that is still pending. A result that cannot be read holds nothing up.',
      tags: ['ready', 'busy'],
      invoke: {
        src: 'tellResult',
        onDone: {
          target: 'checking',
          actions: { type: 'noteResult', params: ({ event }) => ({ problem: event.output }) },
        },
        // Convex is away. The result waits, and so does the request that it may settle.
        onError: 'deciding',
      },
    },
    checking: {
      description: 'Asks for a pending upgrade or restart.',
      tags: ['ready', 'busy'],
      invoke: {
        src: 'checkUpgrade',
        input: ({ context }) => ({ asked: context.asked }),
        onDone: {
          target: 'deciding',
          actions: ['noteHeard', { type: 'keepFacts', params: ({ event }) => ({ facts: event.output }) }],
        },
        // Convex is away, or one of these functions fails.
        onError: { target: 'deciding', actions: { type: 'noteUnheard', params: faultParams } },
      },
    },
    deciding: {
      description: 'Leave, tell, hold back, or carry on?',
      always: [
        { guard: 'leave', target: 'committing' },
        { guard: 'available', target: 'available' },
        { guard: 'heldBack', target: 'heldBack' },
        { target: 'current' },
      ],
    },
    committing: {
      description: 'Writes down what it leaves for, before it leaves.',
      tags: ['draining'],
      on: { 'upgrade.force': {} },
      invoke: {
        src: 'rememberExit',
        input: ({ context }) => ({ pending: context.pending }),
        onDone: 'upgrading',
        onError: 'upgrading',
      },
    },
    upgrading: {
      description: 'Asks the supervisor for the drain; the process exits with 75 and is started again.',
      tags: ['draining'],
      type: 'final',
      entry: 'requestDrain',
    },
  },
});
