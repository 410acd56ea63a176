import { expect, test } from 'vitest';
import { agentRow as agent } from '../../test/kits/samples/agent-row.ts';
import { usableAgents } from './agents.ts';

test('slugs that could end in a header or a path are left out, by name', () => {
  const bad = [
    '',
    'a b',
    '../x',
    'a:b',
    'ä',
    'a\nb',
    'a.b',
    '-lead',
    '_lead',
    '__proto__',
    'constructor',
    'a'.repeat(65),
  ];
  const { agents, skipped } = usableAgents([
    agent('squad-lead'),
    agent('QA_2'),
    ...bad.map((slug) => agent(slug, `bad ${slug}`)),
  ]);
  expect(agents.map(({ slug }) => slug)).toEqual(['squad-lead', 'QA_2']);
  expect(skipped).toEqual(bad.map((slug) => `bad ${slug}`));
});

test('of two slugs that the gateway cannot tell apart, the first is kept', () => {
  const { agents, skipped } = usableAgents([agent('engineer', 'one'), agent('Engineer', 'two')]);
  expect(agents.map(({ name }) => name)).toEqual(['one']);
  expect(skipped).toEqual(['two']);
});
