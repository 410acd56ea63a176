import { assign, sendTo, setup } from 'xstate';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';

export interface TroubleInput {
  parent: Parent<TroubleNews>;
  /** Whose trouble it may be. */
  scope: string;
  /** As people know it. */
  who: string;
  /** How many failures in a row, of how many different subjects, are the scope's trouble. */
  enough: { failures: number; subjects: number };
  /** After how many milliseconds without a new failure a doubt is forgotten. */
  forgottenAfterMs: number;
  /** Wall clock in milliseconds, for what is shown. */
  now: () => number;
}

export type TroubleNews =
  /** Enough failed alike to call it the scope's trouble. `since`: when the first one failed. */
  { type: 'trouble.found'; scope: string; who: string; reason: string; since: number };

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
  /** How many failures there were since the last success, and of whom. */
  failures: number;
  subjects: readonly string[];
  since: number;
  reason: string;
  wasFound: boolean;
}

/** Something failed again and again: is that the trouble of whom it failed for, or of the scope that they share? */
export const troubleMachine = setup({
  types: {} as {
    context: TroubleContext;
    input: TroubleInput;
    output: TroubleOutput;
    events: TroubleEvent;
    tags: Tag;
  },
  guards: {
    enough: ({ context: { input, failures, subjects } }, { subject }: { subject: string }) =>
      failures + 1 >= input.enough.failures && new Set([...subjects, subject]).size >= input.enough.subjects,
  },
  delays: { forgotten: ({ context }) => context.input.forgottenAfterMs },
  actions: {
    note: assign(({ context }, { subject, reason }: { subject: string; reason: string }) => ({
      failures: context.failures + 1,
      subjects: context.subjects.includes(subject)
        ? context.subjects
        : [...context.subjects, subject].slice(-context.input.enough.subjects),
      reason,
    })),
    find: assign({ wasFound: true }),
    announce: sendTo(
      ({ context }) => context.input.parent,
      ({ context }) => ({
        type: 'trouble.found' as const,
        scope: context.input.scope,
        who: context.input.who,
        reason: context.reason,
        since: context.since,
      }),
    ),
  },
}).createMachine({
  id: 'trouble',
  description: 'Something failed: by chance, or is the scope in trouble?',
  context: ({ input }) => ({
    input,
    failures: 0,
    subjects: [],
    since: input.now(),
    reason: '',
    wasFound: false,
  }),
  output: ({ context }) => ({
    kind: 'trouble',
    scope: context.input.scope,
    wasFound: context.wasFound,
  }),
  initial: 'doubtful',
  states: {
    doubtful: {
      description: 'Too few failures to tell.',
      on: {
        'trouble.seen': [
          {
            guard: { type: 'enough', params: ({ event }) => event },
            target: 'found',
            actions: { type: 'note', params: ({ event }) => event },
          },
          {
            target: 'doubtful',
            reenter: true,
            actions: { type: 'note', params: ({ event }) => event },
          },
        ],
        'trouble.passed': 'over',
      },
      after: { forgotten: 'over' },
    },
    found: {
      description: "It is the scope's trouble, and stays within it. One success ends it.",
      tags: ['degraded'],
      entry: ['find', 'announce'],
      on: {
        'trouble.seen': { actions: { type: 'note', params: ({ event }) => event } },
        'trouble.passed': 'over',
      },
    },
    over: { description: 'The scope is well again.', type: 'final' },
  },
});
