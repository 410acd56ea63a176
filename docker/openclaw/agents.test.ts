import { expect, test } from 'vitest';
import { parseRoster, rosterPatch } from './agents.ts';

const rosterOf = (...agents: { slug: unknown; name?: unknown }[]) =>
  parseRoster(JSON.stringify({ version: 1, agents: agents.map(({ slug, name = 'N' }) => ({ slug, name })) }));

const withAgents = (entries: Record<string, { name: string; workspace: string }>) => ({
  agents: { entries },
});

test('ids are those that OpenClaw takes as they are; whatever else a slug says is left out', () => {
  const bad = ['', '../x', 'a b', '-a', '_a', '__proto__', 'constructor', 'a'.repeat(65), 1, null];
  const roster = rosterOf({ slug: 'Engineer' }, { slug: 'engineer' }, ...bad.map((slug) => ({ slug })));
  expect([...roster.keys()]).toEqual(['engineer']);
});

test.each(['', '[]', 'null', '{"agents":{}}', '{"agents":'])('%j is no roster', (text) => {
  expect(() => parseRoster(text)).toThrow();
});

test('new agents and new names are patched in, and a second time there is nothing to do', () => {
  const roster = rosterOf({ slug: 'qa', name: 'QA' }, { slug: 'engineer', name: 'Engineer' });
  const config = withAgents({ engineer: { name: 'Old', workspace: '/ws/engineer' } });
  const patch = rosterPatch(config, roster, '/ws');
  expect(patch).toEqual(
    withAgents({
      qa: { name: 'QA', workspace: '/ws/qa' },
      engineer: { name: 'Engineer', workspace: '/ws/engineer' },
    }),
  );
  expect(rosterPatch(patch ?? {}, roster, '/ws')).toBeNull();
});

test("somebody's own agent of that name is left alone, and nobody is taken away", () => {
  const config = withAgents({
    main: { name: 'Main', workspace: '/elsewhere' },
    gone: { name: 'Gone', workspace: '/ws/gone' },
  });
  expect(rosterPatch(config, rosterOf({ slug: 'main', name: 'Mine' }), '/ws')).toBeNull();
});

test('a name shows no variable of the environment', () => {
  const patch = rosterPatch({}, rosterOf({ slug: 'a', name: '${OPENCLAW_GATEWAY_TOKEN}' }), '/ws');
  expect(JSON.stringify(patch)).not.toContain('${');
});
