import { expect, test } from 'vitest';
import { createPast } from './past.ts';
import { OVERALL } from './segments.ts';
import { settle } from '../../test/kits/samples/mission-control.ts';
import { startSystem } from '../../test/kits/supervised-system.ts';

test('remembers what changed to be seen of the supervised machines, and how much was delivered', async () => {
  let now = 0;
  let delivered = 0;
  const system = startSystem([]);
  const past = createPast({
    root: system.root,
    since: () => null,
    glance: () => ({ status: 'healthy', delivered }),
    now: () => (now += 1_000),
  });
  system.root.system.inspect(past.observe);
  await settle();
  delivered = 2;
  system.root.send({ type: 'delivery.poll' });
  await settle();
  system.root.send({ type: 'delivery.poll' });
  await settle();
  const { lines, samples } = past.view();
  expect(Object.keys(lines).filter((path) => path.split('/').length > 2)).toEqual([]);
  expect(lines[OVERALL]).toMatchObject([{ tone: 'ready', states: ['healthy'] }]);
  expect(lines.supervisor).toMatchObject([{ tone: 'starting' }]);
  expect(lines['supervisor/gateway']?.[0]?.tone).toBe('starting');
  expect(samples.map((one) => one.delivered)).toEqual([0, 2]);
  system.root.stop();
});
