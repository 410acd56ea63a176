/** A running lane with one notification, and a script of what its calls come to. */
import { createActor, fromPromise, SimulatedClock, type InputFrom, type OutputFrom } from 'xstate';
import { Fault, type FaultKind } from '../shared/fault.ts';
import type { DeliveryContext } from '../shared/mission-control.ts';
import { createListener, sampleContext, sampleRow, settle } from '../../test/kits/samples/mission-control.ts';
import type { laneActors } from './actors.ts';
import { NOTHING_KNOWN, type LaneEntry, type LaneEvent, type LaneNews } from './context.ts';
import { laneMachine } from './machine.ts';

type Actors = typeof laneActors;
type Post = InputFrom<Actors['postMessage']>;

export interface Script {
  context: DeliveryContext | null;
  entry: Partial<LaneEntry>;
  /** What each run ends with, the last one again and again: the text of a reply, or a fault. */
  runs: string[];
  /** The wait that the gateway asks for with a fault, in milliseconds. */
  retryAfterMs: number;
  /** How the posts fail, one by one; then they succeed. */
  postFaults: FaultKind[];
  /** What the row is when it is read again, one by one; then it is as it was. */
  rereads: (DeliveryContext | null)[];
  /** The backend brings rows to their end in one call. */
  completes: boolean;
  /** What that comes to, one by one: the row as it has moved, or a fault; then it is marked. */
  completions: (DeliveryContext | FaultKind)[];
  trial: boolean;
}

const NOTHING_SPECIAL: Script = {
  context: sampleContext({ notification: sampleRow({ type: 'thread_update' }) }),
  entry: {},
  runs: ['Done.'],
  retryAfterMs: 0,
  postFaults: [],
  rereads: [],
  completes: false,
  completions: [],
  trial: false,
};

const RUN_FAULTS = ['runFailed', 'agentUnknown', 'requestRejected', 'gatewayUnavailable'] as const;

/** What has happened. */
interface Log {
  calls: string[];
  posts: Post[];
  attempts: number;
}

export const LIMITS = { baseMs: 10_000, capMs: 40_000 };

/**
 * Runs a lane until its job is settled; delivery gives its slot back whenever it asks.
 * @param hears what the lane hears in between, by the calls that it has made so far
 */
export async function work(
  changes: Partial<Script>,
  hears: (calls: readonly string[]) => LaneEvent | null = () => null,
) {
  const script = { ...NOTHING_SPECIAL, ...changes };
  const log: Log = { calls: [], posts: [], attempts: script.entry.attempts ?? 0 };
  const clock = new SimulatedClock();
  const { parent, heard } = createListener<LaneNews>();
  const machine = laneMachine.provide({ actors: actorsOf(script, log) });
  const input = {
    parent,
    key: 'lane:agent-e/task-1',
    session: LIMITS,
    backend: LIMITS,
    random: () => 0.999_999,
  };
  const lane = createActor(machine, { clock, input }).start();
  const go = (trial: boolean): LaneEvent => ({
    type: 'lane.go',
    job: { kind: 'notification', row: script.context?.notification ?? sampleRow() },
    trial,
    next: null,
  });
  const settled = () => heard.find((news) => news.type === 'lane.settled');
  const count = (type: string) => heard.filter((news) => news.type === type).length;
  lane.send(go(script.trial));
  for (let rounds = 0, given = 0; rounds < 200 && settled() === undefined; rounds += 1) {
    await settle();
    const isReady = count('lane.ready') > given;
    const event = hears(log.calls) ?? (isReady ? go(false) : null);
    if (event?.type === 'lane.go') given += 1;
    if (event === null) clock.increment(1_000);
    else lane.send(event);
  }
  lane.stop();
  const told = heard.map(({ type }) => type).filter((type) => /^(run|gateway|agent)[.]/.test(type));
  return {
    calls: log.calls.join(' '),
    posts: log.posts,
    outcome: settled()?.outcome,
    told,
    restedMs: clock.now(),
  };
}

function actorsOf(script: Script, log: Log) {
  const { calls, posts } = log;
  const note = <TOutput>(call: string, output: TOutput): Promise<TOutput> => {
    calls.push(call);
    return Promise.resolve(output);
  };
  return {
    loadJob: fromPromise<OutputFrom<Actors['loadJob']>, InputFrom<Actors['loadJob']>>(() =>
      note('load', {
        delivery: script.context,
        entry: { ...NOTHING_KNOWN, ...script.entry, attempts: log.attempts },
        completes: script.completes,
      }),
    ),
    runAgent: fromPromise<OutputFrom<Actors['runAgent']>, InputFrom<Actors['runAgent']>>(({ input }) => {
      calls.push(input.trial ? 'trial' : 'run');
      if (input.startsOver) log.attempts = 0;
      return endOfRun(script, log, input.trial);
    }),
    completeDelivery: fromPromise<DeliveryContext | null, InputFrom<Actors['completeDelivery']>>(
      ({ input }) => {
        calls.push(input.content === null ? 'complete, silent' : 'complete');
        const next = script.completions.shift() ?? null;
        return typeof next === 'string' ? Promise.reject(new Fault(next, `${next}.`)) : Promise.resolve(next);
      },
    ),
    postMessage: fromPromise<void, Post>(({ input }) => {
      calls.push(input.quiet ? 'note' : 'post');
      posts.push(input);
      const fault = script.postFaults.shift();
      return fault === undefined ? Promise.resolve() : Promise.reject(new Fault(fault, `${fault}.`));
    }),
    rereadRow: fromPromise<DeliveryContext | null, InputFrom<Actors['rereadRow']>>(() => {
      const row = script.rereads.shift();
      return note('reread', row === undefined ? script.context : row);
    }),
    markDelivered: fromPromise<DeliveryContext | null, InputFrom<Actors['markDelivered']>>(() =>
      note('mark', null),
    ),
    handBack: fromPromise<void, InputFrom<Actors['handBack']>>(({ input }) =>
      note(input.refund ? 'handBack, refund' : 'handBack', undefined),
    ),
  };
}

/** Counts as src/actors/lane.ts does: what did not begin, and a trial that failed, are taken back. */
function endOfRun(script: Script, log: Log, trial: boolean): Promise<OutputFrom<Actors['runAgent']>> {
  const text = (script.runs.length > 1 ? script.runs.shift() : script.runs[0]) ?? '';
  const fault = RUN_FAULTS.find((kind) => kind === text);
  if (fault === undefined || (fault === 'runFailed' && !trial)) log.attempts += 1;
  if (fault !== undefined) {
    return Promise.reject(new Fault(fault, `${fault}.`, { retryAfterMs: script.retryAfterMs }));
  }
  return Promise.resolve({ reply: { text, toolCalls: 0 }, attempts: log.attempts, runMs: 1 });
}
