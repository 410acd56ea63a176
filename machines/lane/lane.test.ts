/** What a lane does with one notification, rule by rule (contract, section 9, Delivery; design.md, Errors). */
import { describe, expect, it } from 'vitest';
import type { DeliveryContext } from '../shared/mission-control.ts';
import { sampleContext, sampleRow, sampleTask } from '../../test/kits/samples/mission-control.ts';
import { versionOf, type LaneEvent } from './context.ts';
import { MAX_ATTEMPTS, MAX_SILENT_ATTEMPTS, UNKNOWN_AGENT_MS } from './setup.ts';
import { MAX_MESSAGE_LENGTH } from './reply.ts';
import { LIMITS, work, type Script } from './script.test-kit.ts';

/** Newer messages are coalesced into it. */
const row = sampleRow({ type: 'thread_update' });
const mentioned = (changes: Partial<DeliveryContext> = {}) =>
  sampleContext({ notification: row, ...changes });
const movedTo = (n: number) =>
  mentioned({
    notification: sampleRow({ type: 'thread_update', messageId: `m${n}`, createdAt: n * 1_000 }),
  });
const moved = movedTo(2);
const statusChange = mentioned({ notification: sampleRow({ type: 'status_change' }) });
const kept = (text: string) => ({ attempts: 1, reply: { text, toolCalls: 0, version: versionOf(row) } });
const times = (n: number, text: string) => Array.from({ length: n }, () => text).join(' ');

describe('a notification', () => {
  it.each<[string, Partial<Script>, calls: string, outcome: string]>([
    ['is run, posted, read again and marked', {}, 'load run post reread mark', 'delivered'],
    ['is left where it is when its context is null', { context: null }, 'load', 'left'],
    [
      'that a rule skips is marked without a run',
      { context: mentioned({ task: null }) },
      'load mark',
      'skipped',
    ],
    [
      'without a session is marked',
      { context: mentioned({ deliverySessionKey: undefined }) },
      'load mark',
      'skipped',
    ],
    [
      'that somebody else has marked is marked, not run',
      { context: mentioned({ notification: sampleRow({ deliveredAt: 5 }) }) },
      'load mark',
      'already',
    ],
    [
      'answered with HEARTBEAT_OK is marked, nothing is posted',
      { runs: ['HEARTBEAT_OK'] },
      'load run reread mark',
      'silent',
    ],
    [
      'that nobody waits for may stay without an answer',
      { context: statusChange, runs: [''] },
      'load run mark',
      'silent',
    ],
    [
      'with a reply that was kept is posted, not run again',
      { entry: kept('Kept.') },
      'load post reread mark',
      'delivered',
    ],
    [
      'that was posted before is marked, not run again',
      { entry: { attempts: 0, posts: 1, answered: versionOf(row) } },
      'load reread mark',
      'delivered',
    ],
    [
      'that was posted before and has moved since is run for the newer message',
      { context: moved, entry: { attempts: 1, posts: 1, answered: versionOf(row) } },
      'load reread run post reread mark',
      'delivered',
    ],
    [
      'that moves during its run is run again',
      { rereads: [moved, moved] },
      'load run post reread run post reread mark',
      'delivered',
    ],
    [
      'that is gone when it is read again is marked all the same',
      { rereads: [null] },
      'load run post reread mark',
      'delivered',
    ],
    [
      'that spent its attempts in an earlier process is given up',
      { entry: { attempts: MAX_ATTEMPTS } },
      'load note mark',
      'parked',
    ],
    [
      'that the gateway refuses for good is given up at once',
      { runs: ['requestRejected'] },
      'load run note mark',
      'parked',
    ],
    [
      'whose reply does not fit is given up, never run again',
      { postFaults: ['textTooLong'] },
      'load run post note mark',
      'parked',
    ],
    [
      'is posted again, never run again, when Convex is away',
      { postFaults: ['backendUnavailable', 'backendUnavailable'] },
      'load run post post post reread mark',
      'delivered',
    ],
    [
      'that stands for one message for ever is not read again',
      { context: mentioned({ notification: sampleRow({ type: 'mention' }) }) },
      'load run post mark',
      'delivered',
    ],
    [
      'is brought to its end in one call where that is offered',
      { completes: true },
      'load run complete',
      'delivered',
    ],
    [
      'with nothing to say is brought to its end in one call as well',
      { completes: true, runs: ['HEARTBEAT_OK'] },
      'load run complete, silent',
      'silent',
    ],
    [
      'is given up when earlier processes spent the attempts for its newer message',
      { context: moved, entry: { attempts: 5, posts: 1, answered: versionOf(row) } },
      'load reread note mark',
      'parked',
    ],
    [
      'that has moved when it is completed is run again',
      { completes: true, completions: [moved] },
      'load run complete run complete',
      'delivered',
    ],
    [
      'moves again and again while there is nothing to say: that adds up to no failed attempt',
      { runs: ['HEARTBEAT_OK'], rereads: [2, 3, 4, 5, 6, 7, 7].map(movedTo) },
      `load ${times(7, 'run reread')} mark`,
      'silent',
    ],
    [
      'has five attempts for its newer message, whatever was tried for the one with nothing to say',
      { entry: { attempts: 4 }, runs: ['HEARTBEAT_OK', 'runFailed'], rereads: [moved] },
      'load run reread run load run load run load run load run note mark',
      'parked',
    ],
    [
      'is completed again, never run again, when Convex is away',
      { completes: true, completions: ['backendUnavailable', 'backendUnavailable'] },
      'load run complete complete complete',
      'delivered',
    ],
    [
      'goes the contract’s own way when its completion fails',
      { completes: true, completions: ['backendRejected'] },
      'load run complete post reread mark',
      'delivered',
    ],
    ['goes back when the gateway is away', { runs: ['gatewayUnavailable'] }, 'load run handBack', 'released'],
    [
      'that was the trial goes back when it fails',
      { runs: ['runFailed'], trial: true },
      'load trial handBack',
      'released',
    ],
  ])('%s', async (_, script, calls, outcome) => {
    expect(await work(script)).toMatchObject({ calls, outcome });
  });

  it('is tried five times, then its users are told', async () => {
    const { calls, outcome, posts, told } = await work({ runs: ['runFailed'] });
    expect(calls).toBe(`${times(MAX_ATTEMPTS, 'load run')} note mark`);
    expect(outcome).toBe('parked');
    expect(told).toEqual(Array.from({ length: MAX_ATTEMPTS }, () => 'run.failed'));
    expect(posts.map(({ content, withSource }) => [content.slice(0, 26), withSource])).toEqual([
      ['Engineer could not work on', true],
    ]);
  });

  it('that stays without a word is asked three times, then its users are told', async () => {
    const { calls, outcome, posts } = await work({ runs: [''] });
    expect(calls).toBe(`${times(MAX_SILENT_ATTEMPTS, 'load run')} note mark`);
    expect(outcome).toBe('unanswered');
    expect(posts[0]?.content).toMatch(/^Engineer gave no reply/);
  });

  it('for an agent that the gateway does not know waits two minutes, which is no attempt', async () => {
    const { calls, outcome, posts, told, restedMs } = await work({ runs: ['agentUnknown'] });
    expect(calls.endsWith('run note mark')).toBe(true);
    expect(outcome).toBe('parked');
    expect(posts[0]?.content).toMatch(/^Engineer is not known/);
    expect(new Set(told)).toEqual(new Set(['agent.unknown']));
    expect(restedMs).toBeGreaterThanOrEqual(UNKNOWN_AGENT_MS - LIMITS.capMs);
  });

  it('for an agent that the gateway comes to know is delivered', async () => {
    const { outcome } = await work({ runs: ['agentUnknown', 'agentUnknown', 'Here I am.'] });
    expect(outcome).toBe('delivered');
  });

  it('posts a second reply without the id of the notification: with it the backend would drop the text', async () => {
    const { posts } = await work({ rereads: [moved, moved] });
    expect(posts.map(({ withSource, version }) => [withSource, version?.messageId])).toEqual([
      [true, 'm1'],
      [false, 'm2'],
    ]);
  });

  it('counts the attempts of a newer message from the start', async () => {
    const runs = ['runFailed', 'runFailed', 'runFailed', 'runFailed', 'Done.', 'And this.'];
    const { calls, outcome } = await work({ runs, rereads: [moved, moved] });
    expect(calls).toBe(`${times(MAX_ATTEMPTS, 'load run')} post reread run post reread mark`);
    expect(outcome).toBe('delivered');
  });

  it('cuts a reply that is over the limit', async () => {
    const { posts } = await work({ runs: ['x'.repeat(MAX_MESSAGE_LENGTH + 1)] });
    expect(posts[0]?.content).toHaveLength(MAX_MESSAGE_LENGTH);
  });

  it('moves an assigned task on with the answer', async () => {
    const context = mentioned({
      notification: sampleRow({ type: 'assignment' }),
      task: sampleTask({ status: 'assigned' }),
    });
    expect((await work({ context })).posts[0]?.startsTask).toBe(true);
    expect((await work({})).posts[0]?.startsTask).toBe(false);
  });

  it('rests after a failed run as long as the gateway asks it to, and not longer', async () => {
    const { calls, restedMs } = await work({ runs: ['runFailed', 'Done.'], retryAfterMs: 90_000 });
    expect(calls).toBe('load run load run post reread mark');
    expect(restedMs).toBeGreaterThanOrEqual(90_000);
    expect(restedMs).toBeLessThan(92_000);
  });

  it('tells what it learns about the gateway', async () => {
    expect((await work({})).told).toEqual(['run.succeeded']);
    expect((await work({ runs: ['gatewayUnavailable'] })).told).toEqual(['gateway.suspected']);
    expect((await work({ runs: ['runFailed'], trial: true })).told).toEqual(['run.failed']);
    const told = (await work({ runs: ['agentUnknown', 'agentUnknown', 'Done.'] })).told;
    expect(told).toEqual(['agent.unknown', 'agent.unknown', 'run.succeeded']);
  });
});

describe('a lane that is told to hold', () => {
  const hold =
    (excused: boolean, when: string) =>
    (calls: readonly string[]): LaneEvent | null =>
      calls.join(' ') === when ? { type: 'lane.hold', excused } : null;

  const once = (tell: ReturnType<typeof hold>) => {
    let isTold = false;
    return (calls: readonly string[]): LaneEvent | null => {
      const event = isTold ? null : tell(calls);
      isTold ||= event !== null;
      return event;
    };
  };

  it('takes back the attempt that failed by trouble that everyone has', async () => {
    const { calls, outcome } = await work({ runs: ['runFailed'] }, hold(true, 'load run'));
    expect([calls, outcome]).toEqual(['load run handBack, refund', 'released']);
  });

  it.each(['agentUnknown', ''])('takes back nothing where nothing was counted: %j', async (end) => {
    const { calls, outcome } = await work({ runs: [end] }, hold(true, 'load run'));
    expect([calls, outcome]).toEqual(['load run handBack', 'released']);
  });

  it('finishes what is past its run', async () => {
    const { calls, outcome } = await work(
      { postFaults: ['backendUnavailable'] },
      once(hold(false, 'load run post')),
    );
    expect([calls, outcome]).toEqual(['load run post post reread mark', 'delivered']);
  });
});
