import { expect, test } from 'vitest';
import { picture, step } from '../../../test/kits/samples/inspector.ts';
import { foldSteady, isFold } from './fold.ts';
import { apply, createModel, type LogRow } from './model.ts';

const GATEWAY = 'supervisor/gateway';
const probe = (seq: number) =>
  step(seq, { event: `xstate.after.checkInterval.gateway.steady`, by: GATEWAY, tags: ['ready'] });
const answer = (seq: number) =>
  step(seq, { event: 'xstate.done.actor.0', by: GATEWAY, call: 'probeGateway', tags: ['ready'] });

function logOf(steps: readonly ReturnType<typeof step>[]): LogRow[] {
  const model = createModel({ picture: picture([]), history: [] });
  for (const one of steps) apply(model, one);
  return model.log;
}

test('probes that go well are one row, until they are unfolded', () => {
  const rows = logOf([probe(1), answer(2), probe(3), answer(4), step(5), probe(6)]);
  const told = foldSteady(rows, new Set()).map((item) => (isFold(item) ? item.rows.length : item.event));
  expect(told).toEqual([4, 'gateway.lost', 1]);
  expect(foldSteady(rows, new Set([1])).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('nothing is folded that is news: a failure, a machine that is not well, a word from another, a session', () => {
  const rows = logOf([
    step(1, { event: 'xstate.error.actor.0', by: GATEWAY, call: 'probeGateway', tags: ['ready'] }),
    { ...probe(2), tags: ['degraded'] } as ReturnType<typeof step>,
    step(3, { event: 'gateway.probe', by: 'supervisor', tags: ['ready'] }),
    step(4, { path: 'supervisor/delivery/notification:a/t', event: 'xstate.done.actor.0', tags: ['busy'] }),
  ]);
  expect(foldSteady(rows, new Set()).filter(isFold)).toEqual([]);
});
