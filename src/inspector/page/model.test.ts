import { describe, expect, test } from 'vitest';
import { actor, picture, STATUS, step } from '../../../test/kits/samples/inspector.ts';
import { perBucket } from './bar.ts';
import { OVERALL } from '../segments.ts';
import { apply, createModel, type Model } from './model.ts';

const GATEWAY = 'supervisor/gateway';

const start = (): Model =>
  createModel({ picture: picture([actor('supervisor'), actor(GATEWAY)]), history: [] });

describe('the model', () => {
  test('follows the steps of an actor', () => {
    const model = start();
    apply(model, step(1));
    expect(model.actors.get(GATEWAY)).toMatchObject({
      states: ['degraded'],
      tags: ['degraded'],
      since: 1_000,
    });
    apply(model, step(2, { from: null, to: ['degraded'], tags: ['degraded', 'attention'] }));
    expect(model.actors.get(GATEWAY)).toMatchObject({ tags: ['degraded', 'attention'], since: 1_000 });
    expect(model.log).toHaveLength(2);
  });

  test('takes nothing twice', () => {
    const model = start();
    apply(model, step(1));
    apply(model, step(1, { to: ['resting'] }));
    expect(model.actors.get(GATEWAY)?.states).toEqual(['degraded']);
    expect(model.log).toHaveLength(1);
  });

  test('knows who comes and goes, the timers, the status and the end', () => {
    const model = start();
    const timers = [{ name: 'checkInterval', state: 'gateway.resting', at: 5 }];
    apply(model, { kind: 'timers', seq: 1, at: 1, path: GATEWAY, timers });
    expect(model.actors.get(GATEWAY)?.timers).toEqual(timers);
    apply(model, { kind: 'gone', seq: 2, at: 2, path: GATEWAY });
    expect(model.actors.has(GATEWAY)).toBe(false);
    apply(model, { kind: 'actor', seq: 3, at: 3, actor: actor(GATEWAY, { restarts: 1 }) });
    expect(model.actors.get(GATEWAY)?.restarts).toBe(1);
    apply(model, { kind: 'status', seq: 4, at: 4, status: { ...STATUS, delivered: 2 } });
    expect(model.status.delivered).toBe(2);
    apply(model, { kind: 'left', seq: 5, at: 5, exitCode: 75, reason: 'an upgrade' });
    expect(model.left).toEqual({ exitCode: 75, reason: 'an upgrade' });
  });

  test('fills the log and the timeline from what came before the picture, and changes nothing else by it', () => {
    const line = [
      { from: 1_000, tone: 'degraded' as const, states: ['degraded'] },
      { from: 2_000, tone: 'ready' as const, states: ['resting'] },
    ];
    const past = { lines: { [GATEWAY]: line }, samples: [{ at: 500, delivered: 3 }] };
    const now = picture([actor(GATEWAY, { since: 2_000 })], { seq: 2, at: 3_000, past });
    const back = step(2, { from: ['degraded'], to: ['resting'], tags: ['ready'] });
    const model = createModel({ picture: now, history: [step(1), back] });
    expect(model.log.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(model.actors.get(GATEWAY)).toMatchObject({ states: ['resting'], since: 2_000 });
    expect(model.segments.get(GATEWAY)).toMatchObject([
      { from: 1_000, tone: 'degraded' },
      { from: 2_000, tone: 'ready' },
    ]);
    expect(model.samples.map(({ at }) => at)).toEqual([500, 3_000]);
  });

  test('learns the title of a session when it is known', () => {
    const model = start();
    apply(model, { kind: 'title', seq: 1, at: 1, path: GATEWAY, title: 'engineer · Fix it' });
    expect(model.actors.get(GATEWAY)?.title).toBe('engineer · Fix it');
    // The log still names it when it is over.
    apply(model, { kind: 'gone', seq: 2, at: 2, path: GATEWAY });
    expect(model.titles.get(GATEWAY)).toBe('engineer · Fix it');
  });
});

describe('the timeline', () => {
  test('tells how long something was not well, and does not flicker with work', () => {
    const model = start();
    const steps: [tags: 'busy' | 'ready' | 'degraded', state: string][] = [
      ['busy', 'checking'],
      ['ready', 'resting'],
      ['degraded', 'away'],
      ['busy', 'checking'],
    ];
    steps.forEach(([tag, state], i) => apply(model, step(i + 1, { to: [state], tags: [tag] })));
    expect(model.segments.get(GATEWAY)).toMatchObject([
      { from: 0, tone: 'ready' },
      { from: 3_000, tone: 'degraded' },
      { from: 4_000, tone: 'ready' },
    ]);
  });

  test('has a line for the overall status, and none for sessions', () => {
    const model = start();
    const session = 'supervisor/delivery/notification:a/t';
    apply(model, { kind: 'actor', seq: 1, at: 1, actor: actor(session) });
    apply(model, { kind: 'status', seq: 2, at: 2, status: { ...STATUS, status: 'degraded' } });
    expect(model.segments.get(OVERALL)?.map(({ tone }) => tone)).toEqual(['ready', 'degraded']);
    expect(model.segments.has(session)).toBe(false);
  });
});

test('the log is bounded, and says how much it has lost', () => {
  const model = start();
  for (let seq = 1; seq <= 20_000; seq += 1) apply(model, step(seq, { from: null }));
  expect(model.log.length).toBeLessThanOrEqual(6_000);
  expect(model.lost + model.log.length).toBe(20_000);
  expect(model.log.at(-1)?.seq).toBe(20_000);
});

test('the sparkline counts deliveries where they happened', () => {
  const samples = [
    { at: 0, delivered: 5 },
    { at: 119_000, delivered: 8 },
    { at: 119_500, delivered: 10 },
  ];
  const buckets = perBucket(samples, 120_000);
  expect(buckets.at(-1)).toBe(5);
  expect(buckets.reduce((sum, n) => sum + n, 0)).toBe(5);
});
