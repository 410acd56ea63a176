/**
 * The inside of an open round: is anything heard of it? A gateway that works sends something all the time, so a round
 * that is silent for long deserves a look. Nothing is cut off for it.
 *
 * A machine that uses it has a delay `stallAfter`, the actions `reportStall`, `noteStall` and `reportHeard`, and hears `run.sign`.
 */
export const listening = {
  initial: 'heard',
  states: {
    heard: {
      description: 'The gateway has just sent something, or was just asked.',
      on: { 'run.sign': { target: 'heard', reenter: true } },
      after: { stallAfter: 'silent' },
    },
    silent: {
      description: 'Nothing was heard for STALL_AFTER. People are told; the round goes on.',
      tags: ['attention'],
      entry: ['reportStall', 'noteStall'],
      exit: 'reportHeard',
      on: { 'run.sign': 'heard' },
    },
  },
} as const;

/** What delivery is told of it. */
export type StallNews =
  | {
      type: 'run.stalled';
      session: string;
      agent: string;
      /** Its title; null for a session without a task. */
      task: string | null;
      silentMs: number;
      /** The first time in this run. */
      first: boolean;
    }
  | { type: 'run.heard'; session: string };

/** The name of the problem, for `/health`: of a run of that session. */
export const stallSource = (session: string): string => `run:${session}`;

export const isStall = (source: string): boolean => source.startsWith('run:');
