import { expect, test } from 'vitest';
import type { AgentRow } from '../shared/mission-control.ts';
import { usableAgents } from './roster.ts';

const agent = (slug: string, name = slug): AgentRow => ({
  _id: name,
  name,
  slug,
  role: 'r',
  systemSessionKey: 's',
  effectiveBehaviorFlags: {
    canCreateTasks: false,
    canModifyTaskStatus: true,
    canCreateDocuments: true,
    canMentionAgents: true,
    canReviewTasks: false,
    canMarkDone: false,
  },
});

test('slugs that could end in a header or a path are left out, by name', () => {
  const bad = ['', 'a b', '../x', 'a:b', 'ä', 'a\nb', 'a.b'];
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
