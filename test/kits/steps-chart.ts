/** A chart in the shape of a notification: steps of {calling, resting} between decisions, one `abort` for all. */
import { fromPromise, setup } from 'xstate';

type StepEvent = { type: 'abort' } | { type: 'go' } | { type: 'backend.available' } | { type: 'hold' };

const call = fromPromise(() => Promise.resolve());
const never = () => false;

const { createMachine, createStateConfig } = setup({
  types: { events: {} as StepEvent },
  actors: { read: call, runAgent: call, act: call, complete: call, post: call, check: call, mark: call },
  guards: {
    away: never,
    rowGone: never,
    skipped: never,
    answered: never,
    spent: never,
    excused: never,
    silent: never,
    completes: never,
    moved: never,
  },
  delays: { backoff: 1_000, readAgainAfter: 2_000 },
});

const step = (src: 'read' | 'post' | 'check' | 'mark' | 'complete', next: string, failed: string) =>
  createStateConfig({
    description: `One step: ${src}.`,
    initial: 'calling',
    states: {
      calling: {
        description: 'The call is under way.',
        invoke: {
          src,
          onDone: { target: next },
          onError: [{ guard: 'away', target: 'resting' }, { target: failed }],
        },
      },
      resting: {
        description: 'The other side is in trouble.',
        after: { backoff: 'calling' },
        on: { 'backend.available': 'calling' },
      },
    },
  });

export const stepsMachine = createMachine({
  id: 'steps',
  description: 'One notification, from the head of its session to its end.',
  initial: 'reading',
  on: { abort: '.handingBack' },
  states: {
    reading: step('read', '#steps.deciding', '#steps.parking'),
    deciding: {
      description: 'Run, skip, or resume?',
      always: [
        { guard: 'rowGone', target: 'done' },
        { guard: 'skipped', target: 'answering.marking' },
        { guard: 'answered', target: 'answering' },
        { guard: 'spent', target: 'parking' },
        { target: 'queueing' },
      ],
    },
    queueing: {
      description: 'Waits for a slot.',
      initial: 'waiting',
      states: {
        waiting: {
          description: 'In the queue.',
          on: { go: '#steps.working' },
          after: { readAgainAfter: 'stale' },
        },
        stale: {
          description: 'What was read is old.',
          on: { go: '#steps.reading' },
        },
      },
    },
    working: {
      description: 'The agent works.',
      initial: 'running',
      on: { hold: 'handingBack' },
      states: {
        running: {
          description: 'The run is open.',
          invoke: {
            src: 'runAgent',
            onDone: [{ guard: 'moved', target: 'acting' }, { target: '#steps.judging' }],
            onError: [
              { guard: 'excused', target: '#steps.handingBack' },
              { guard: 'spent', target: '#steps.parking' },
              { target: 'resting' },
            ],
          },
        },
        acting: {
          description: 'A tool is called.',
          invoke: { src: 'act', onDone: 'running', onError: 'resting' },
        },
        resting: {
          description: 'Waits before the next run.',
          after: { backoff: '#steps.queueing' },
        },
      },
    },
    judging: {
      description: 'What does the reply amount to?',
      always: [
        { guard: 'silent', target: 'answering.marking' },
        { guard: 'spent', target: 'parking' },
        { target: 'answering' },
      ],
    },
    answering: {
      description: 'Writes the reply and marks the row.',
      initial: 'choosing',
      states: {
        choosing: {
          description: 'In one call, or step by step?',
          always: [{ guard: 'completes', target: 'completing' }, { target: 'posting' }],
        },
        completing: step('complete', '#steps.done', '#steps.answering.posting'),
        posting: step('post', '#steps.answering.checking', '#steps.parking'),
        checking: step('check', '#steps.answering.marking', '#steps.answering.marking'),
        marking: step('mark', '#steps.done', '#steps.done'),
      },
    },
    parking: step('post', '#steps.answering.marking', '#steps.answering.marking'),
    handingBack: {
      description: 'Gives the row back.',
      invoke: { src: 'mark', onDone: 'done', onError: 'done' },
    },
    done: { type: 'final', description: 'The output is the outcome.' },
  },
});
