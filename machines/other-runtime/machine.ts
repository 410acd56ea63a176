import { assign, enqueueActions, setup } from 'xstate';
import type { ConditionChanged } from '../shared/condition.ts';
import type { Parent } from '../shared/parent.ts';
import type { Tag } from '../shared/tags.ts';

export interface OtherRuntimeInput {
  parent: Parent<ConditionChanged>;
}

/** What the calls to Mission Control say of other runtimes on this account. */
export type OtherRuntimeSign =
  /** Mission Control lends the rows, and this many other runtimes work on them. */
  | { type: 'otherRuntime.counted'; others: number }
  /** It does not lend them, and somebody else worked on this row. `sign` is a sentence for an operator. */
  | { type: 'otherRuntime.sighted'; row: string; sign: string };

interface OtherRuntimeContext extends OtherRuntimeInput {
  /** Rows that somebody else worked on, each once. */
  rows: readonly string[];
}

/** One row may be the last call of a process that died a moment ago; two are no coincidence. */
const ENOUGH = 2;
const FORGOTTEN_AFTER_MS = 300_000;

const STOP_ONE = 'stop one of them, because an account has one runtime at a time.';

export const otherRuntimeMachine = setup({
  types: {} as {
    context: OtherRuntimeContext;
    input: OtherRuntimeInput;
    events: OtherRuntimeSign;
    tags: Tag;
  },
  guards: {
    someAtWork: (_, { others }: { others: number }) => others > 0,
    enough: ({ context: { rows } }, { row }: { row: string }) => new Set([...rows, row]).size >= ENOUGH,
  },
  delays: { forgotten: FORGOTTEN_AFTER_MS },
  actions: {
    note: assign(({ context: { rows } }, { row }: { row: string }) => ({
      rows: rows.includes(row) ? rows : [...rows, row].slice(-ENOUGH),
    })),
    forget: assign({ rows: [] }),
    announce: enqueueActions(({ enqueue, context }, { problem }: { problem: string | null }) => {
      enqueue.sendTo(context.parent, { type: 'condition.changed', source: 'otherRuntime', problem });
    }),
  },
}).createMachine({
  id: 'otherRuntime',
  description: 'Does another runtime work on this account? Then both say so.',
  context: ({ input }) => ({ ...input, rows: [] }),
  initial: 'alone',
  on: {
    'otherRuntime.counted': {
      guard: { type: 'someAtWork', params: ({ event }) => event },
      target: '.sharing',
    },
  },
  states: {
    alone: {
      description: 'Nothing is known of another one.',
      tags: ['ready'],
      entry: 'forget',
      on: {
        'otherRuntime.sighted': {
          target: 'doubtful',
          actions: { type: 'note', params: ({ event }) => event },
        },
      },
    },
    doubtful: {
      description: 'Somebody else worked on a row. It may have been a process that is gone.',
      tags: ['ready'],
      on: {
        'otherRuntime.sighted': {
          guard: { type: 'enough', params: ({ event }) => event },
          target: 'colliding',
          actions: {
            type: 'announce',
            params: ({ event }) => ({
              problem: `Another runtime works on this account: ${event.sign}. Both run every notification, and each run is paid for, so ${STOP_ONE}`,
            }),
          },
        },
      },
      after: { forgotten: 'alone' },
    },
    colliding: {
      description: 'Both take the same rows. It is over when nothing was seen of the other one for a while.',
      tags: ['degraded', 'attention'],
      on: {
        'otherRuntime.sighted': { target: 'colliding', reenter: true },
      },
      after: { forgotten: { target: 'alone', actions: { type: 'announce', params: { problem: null } } } },
    },
    sharing: {
      description: 'Mission Control lends each row to one of them.',
      tags: ['degraded'],
      entry: {
        type: 'announce',
        params: {
          problem: `Another runtime works on this account. Mission Control lends each notification to one of them, but both beat for every agent. Unless an update is under way, ${STOP_ONE}`,
        },
      },
      on: {
        'otherRuntime.counted': [
          {
            guard: { type: 'someAtWork', params: ({ event }) => event },
            target: 'sharing',
            reenter: true,
          },
          { target: 'alone', actions: { type: 'announce', params: { problem: null } } },
        ],
      },
      after: { forgotten: { target: 'alone', actions: { type: 'announce', params: { problem: null } } } },
    },
  },
});
