import { expect, test } from 'vitest';
import { agentProfile } from '../../test/kits/samples/agent-profile.ts';
import { profilesOf } from './profile.ts';

const skill = (slug: string, contentMarkdown?: string) => ({ _id: slug, name: slug, slug, contentMarkdown });

test('a profile holds the texts, the skills that have content, the model, and who works beside the agent', () => {
  const rows = [
    agentProfile('qa', { name: 'Q\nA', role: 'Tester' }),
    agentProfile('engineer', {
      openclawConfig: { model: 'claude' },
      resolvedSkills: [skill('review', '# Review'), skill('empty', ' '), skill('none')],
    }),
  ];
  const { profiles, leftOut } = profilesOf(rows);
  expect(leftOut).toEqual([]);
  expect(profiles.map(({ slug }) => slug)).toEqual(['engineer', 'qa']);
  expect(profiles[0]).toMatchObject({
    version: 1,
    soul: 'soul',
    identity: 'identity',
    user: 'user',
    model: 'claude',
    skills: [{ slug: 'review', name: 'review', description: 'review', content: '# Review' }],
  });
  expect(profiles[0]?.agents).toContain('You are @engineer');
  expect(profiles[0]?.agents).toContain('- @qa: Q A, Tester\n');
  expect(profilesOf(rows.toReversed())).toEqual({ profiles, leftOut });
});

test('what could end in a path or is too large is left out by name, and the rest stays', () => {
  const big = 'x'.repeat(50_001);
  const skills = [
    skill('../x', 'c'),
    skill('a/b', 'c'),
    skill('big', 'ä'.repeat(262_145)),
    skill('ok', 'c'),
    skill('OK', 'c'),
  ];
  const { profiles, leftOut } = profilesOf([
    agentProfile('../engineer', { name: 'Evil' }),
    agentProfile('engineer', { effectiveSoulContent: big, resolvedSkills: skills }),
  ]);
  expect(profiles.map(({ slug }) => slug)).toEqual(['engineer']);
  expect(profiles[0]).toMatchObject({ soul: null, identity: 'identity', skills: [{ slug: 'ok' }] });
  expect(leftOut).toEqual([
    'the agent Evil: its slug cannot be used',
    'the soul (over 50000 characters) of @engineer',
    'the skill ../x (its slug cannot be used) of @engineer',
    'the skill a/b (its slug cannot be used) of @engineer',
    'the skill big (over 512 KiB) of @engineer',
    'the skill OK (its slug is taken) of @engineer',
  ]);
});

test("the user's text is cut to 4,000 characters, with a notice", () => {
  const { profiles } = profilesOf([agentProfile('a', { effectiveUserMd: 'x'.repeat(4_001) })]);
  expect(profiles[0]?.user).toHaveLength(4_000);
  expect(profiles[0]?.user).toMatch(/x\n\n\[Cut here: .*\]\n$/);
});

test('at most 100 skills, and 8 MiB', () => {
  const half = 'x'.repeat(500_000);
  const many = profilesOf([
    agentProfile('a', { resolvedSkills: Array.from({ length: 101 }, (_, n) => skill(`s${n}`, 'c')) }),
  ]);
  expect(many.profiles[0]?.skills).toHaveLength(100);
  expect(many.leftOut).toEqual(['the skill s100 (there are over 100) of @a']);
  const large = profilesOf([
    agentProfile('a', { resolvedSkills: Array.from({ length: 20 }, (_, n) => skill(`s${n}`, half)) }),
  ]);
  expect(large.profiles[0]?.skills).toHaveLength(16);
  expect(large.leftOut).toHaveLength(4);
});
