import { assign, sendTo, setup, type ActorRefFrom } from 'xstate';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';

export interface TroubleInput {
  parent: Parent<TroubleNews>;
  /** Whose trouble it may be: the name of a function of Convex. */
  scope: string;
  /** Wall clock in milliseconds, for what is shown. */
  now: () => number;
}

export type TroubleNews =
  /** Different rows have the same trouble: it is the scope's, and nobody's attempt. */
  { type: 'trouble.found'; scope: string; reason: string; since: number };

export type TroubleEvent =
  /** `subject` had trouble with the scope. */
  | { type: 'trouble.seen'; subject: string; reason: string }
  /** Somebody had none. */
  | { type: 'trouble.passed' };

export interface TroubleOutput {
  kind: 'trouble';
  scope: string;
  /** Whether it was found to be the scope's. */
  wasFound: boolean;
}

interface TroubleContext {
  input: TroubleInput;
  /** Whom it has met since the last success, each once. */
  subjects: readonly string[];
  since: number;
  reason: string;
}

/** So many different rows with the same trouble are no coincidence. */
const ENOUGH = 3;
/** A doubt that nobody adds to is forgotten. */
const FORGOTTEN_AFTER_MS = 600_000;

/** Many have the same trouble: is it theirs, or that of the scope that they share? */
export const troubleMachine = setup({
  types: {} as {
    context: TroubleContext;
    input: TroubleInput;
    output: TroubleOutput;
    events: TroubleEvent;
    tags: Tag;
  },
  guards: {
    enough: ({ context: { subjects } }, { subject }: { subject: string }) =>
      new Set([...subjects, subject]).size >= ENOUGH,
  },
  delays: { forgotten: FORGOTTEN_AFTER_MS },
  actions: {
    note: assign(({ context }, { subject, reason }: { subject: string; reason: string }) => ({
      subjects: context.subjects.includes(subject)
        ? context.subjects
        : [...context.subjects, subject].slice(-ENOUGH),
      reason,
    })),
    announce: sendTo(
      ({ context }) => context.input.parent,
      ({ context }) => ({
        type: 'trouble.found' as const,
        scope: context.input.scope,
        reason: context.reason,
        since: context.since,
      }),
    ),
  },
}).createMachine({
  id: 'trouble',
  description: 'Many rows have the same trouble: theirs, or that of the function that they share?',
  context: ({ input }) => ({ input, subjects: [], since: input.now(), reason: '' }),
  output: ({ context }) => ({
    kind: 'trouble',
    scope: context.input.scope,
    wasFound: context.subjects.length >= ENOUGH,
  }),
  initial: 'doubtful',
  states: {
    doubtful: {
      description: 'Few have met it. Each counts it as its own.',
      on: {
        'trouble.seen': [
          {
            guard: { type: 'enough', params: ({ event }) => event },
            target: 'found',
            actions: { type: 'note', params: ({ event }) => event },
          },
          { actions: { type: 'note', params: ({ event }) => event } },
        ],
        'trouble.passed': 'over',
      },
      after: { forgotten: 'over' },
    },
    found: {
      description: 'Everybody rests and tries again with backoff. Nobody counts it. One success ends it.',
      tags: ['degraded'],
      entry: 'announce',
      on: {
        'trouble.seen': { actions: { type: 'note', params: ({ event }) => event } },
        'trouble.passed': 'over',
      },
    },
    over: { description: 'The scope is well again.', type: 'final' },
  },
});

export type TroubleActor = ActorRefFrom<typeof troubleMachine>;
