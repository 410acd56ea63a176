import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { createListener, settle } from '../../test/kits/samples/mission-control.ts';
import { pulseMachine, type Look, type PulseNews } from './machine.ts';

const ANSWERED: Look = { found: 'answered' };
const FAILED: Look = { found: 'failed' };
const SILENT: Look = { found: 'silent', problem: 'No answer.' };

/** @returns makes the next looks find these, one after another, and gives what the supervisor hears */
function startPulse() {
  const { parent, heard } = createListener<PulseNews>();
  const clock = new SimulatedClock();
  let next: Look = ANSWERED;
  const lookAtConvex = fromPromise(() => Promise.resolve(next));
  createActor(pulseMachine.provide({ actors: { lookAtConvex } }), { clock, input: { parent } }).start();
  return async (...looks: Look[]): Promise<string[]> => {
    heard.length = 0;
    for (const look of looks) {
      next = look;
      clock.increment(4_000);
      await settle();
    }
    return heard.map((news) =>
      news.type === 'condition.changed' ? `problem ${String(news.problem)}` : news.type,
    );
  };
}

it('says nothing while Convex answers', async () => {
  expect(await startPulse()(ANSWERED, ANSWERED)).toEqual([]);
});

it('has delivery look when Convex is gone, and tells once that it is back', async () => {
  const look = startPulse();
  expect((await look(FAILED))[0]).toBe('delivery.poll');
  expect(await look(ANSWERED, ANSWERED)).toEqual(['backend.available']);
});

it('takes one slow answer for none, and two for a silence until something else is found', async () => {
  const look = startPulse();
  expect(await look(SILENT)).toEqual(['delivery.poll']);
  expect(await look(SILENT)).toEqual(['problem No answer.']);
  expect(await look(FAILED)).toEqual(['problem null']);
});

it('tells of the first call that hangs, and when none hangs any more', () => {
  const { parent, heard } = createListener<PulseNews>();
  const pulse = createActor(pulseMachine, { clock: new SimulatedClock(), input: { parent } }).start();
  pulse.send({ type: 'call.hangs', name: 'markNotificationRead' });
  pulse.send({ type: 'call.hangs', name: 'listAgents' });
  pulse.send({ type: 'call.ended' });
  expect(heard).toMatchObject([
    {
      source: 'backend',
      of: 'pulse',
      problem: 'Convex has not answered markNotificationRead for 10 s: check CONVEX_URL and the deployment.',
    },
  ]);
  pulse.send({ type: 'call.ended' });
  expect(heard.at(-1)).toMatchObject({ source: 'backend', problem: null });
});
