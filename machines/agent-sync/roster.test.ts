import { expect, test } from 'vitest';
import { agentRow as agent } from '../../test/kits/samples/agent-row.ts';
import { rosterOf } from './roster.ts';

test('the gateway is told slugs and names, each in one line, in the same order however they come', () => {
  const names = ['  Ada\n\u202eLovelace ', '\u0000', 'x'.repeat(300)];
  const agents = ['b', 'a', 'c'].map((slug, n) => agent(slug, names[n]));
  const roster = rosterOf(agents);
  expect(roster).toEqual([
    { slug: 'a', name: 'a' },
    { slug: 'b', name: 'Ada Lovelace' },
    { slug: 'c', name: 'x'.repeat(100) },
  ]);
  expect(rosterOf(agents.toReversed())).toEqual(roster);
});
