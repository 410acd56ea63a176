import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseProfile, type Profile } from './profile.ts';
import { createProfiles } from './profiles.ts';
import type { Applied } from './workspace.ts';

let root: string;
let published: string;
let workspaces: string;
let outside: string;
let lines: string[];
let applied: Record<string, Applied>;
let look: () => void;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'profiles-'));
  [published, workspaces, outside] = ['profiles', 'workspaces', 'outside'].map((name) =>
    join(root, name),
  ) as [string, string, string];
  for (const directory of [published, workspaces, outside]) mkdirSync(directory);
  writeFileSync(join(outside, 'SOUL.md'), 'theirs');
  lines = [];
  applied = {};
  begin();
});
afterEach(() => rmSync(root, { recursive: true }));

/** As a new process does. */
function begin(): void {
  const profiles = createProfiles(published, workspaces, (line) => lines.push(line));
  look = () => {
    applied = profiles.apply(['engineer'], applied);
  };
}

function publish(parts: object): void {
  const profile = {
    version: 1,
    slug: 'engineer',
    soul: 'a soul',
    identity: 'an identity',
    user: 'a user',
    agents: 'rules\n',
    skills: [],
    model: null,
    ...parts,
  };
  writeFileSync(join(published, 'engineer.json'), JSON.stringify(profile));
  look();
}

const file = (...path: string[]): string => join(workspaces, 'engineer', ...path);
const text = (...path: string[]): string => readFileSync(file(...path), 'utf8');
const skill = (slug: string, content: string, description = 'd') => ({
  slug,
  name: slug,
  description,
  content,
});

test('a profile is written, and a change of it; a second look changes nothing', () => {
  publish({});
  expect([text('SOUL.md'), text('IDENTITY.md'), text('USER.md')]).toEqual([
    'a soul',
    'an identity',
    'a user',
  ]);
  const { ino } = statSync(file('SOUL.md'));
  look();
  begin();
  look();
  expect(statSync(file('SOUL.md')).ino).toBe(ino);
  publish({ soul: 'another soul', identity: null });
  expect([text('SOUL.md'), text('IDENTITY.md')]).toEqual(['another soul', 'an identity']);
  expect(lines).toEqual([]);
  expect(readdirSync(file())).not.toContain('SOUL.md.edited');
});

test("an agent's edit is kept aside, and Mission Control's text is put back, without a new profile", () => {
  publish({});
  writeFileSync(file('SOUL.md'), 'I am free');
  rmSync(file('USER.md'));
  look();
  look();
  expect([text('SOUL.md'), text('SOUL.md.edited'), text('USER.md')]).toEqual([
    'a soul',
    'I am free',
    'a user',
  ]);
  expect(lines).toEqual([
    "engineer: SOUL.md was edited there: the edit is kept in SOUL.md.edited, and Mission Control's text is put back",
  ]);
});

test('what was there before the first profile counts as an edit', () => {
  mkdirSync(file());
  writeFileSync(file('SOUL.md'), 'from before');
  publish({});
  expect([text('SOUL.md'), text('SOUL.md.edited')]).toEqual(['a soul', 'from before']);
});

test('of AGENTS.md only the block is ours', () => {
  mkdirSync(file());
  writeFileSync(file('AGENTS.md'), 'mine, above');
  publish({});
  expect(text('AGENTS.md')).toMatch(
    /^mine, above\n\n<!-- mission-control:begin .*-->\nrules\n<!-- mission-control:end -->\n$/,
  );
  writeFileSync(file('AGENTS.md'), `${text('AGENTS.md')}mine, below\n`);
  look();
  publish({ agents: 'other rules\n' });
  expect(text('AGENTS.md')).toMatch(/^mine, above\n\n<!--.*\nother rules\n<!--.*-->\nmine, below\n$/);
  expect(lines).toEqual([]);
  writeFileSync(file('AGENTS.md'), text('AGENTS.md').replace('other rules', 'no rules'));
  look();
  expect(text('AGENTS.md')).toContain('\nother rules\n');
  expect(text('AGENTS.md.edited')).toContain('\nno rules\n');
});

test('skills come, change and go, with their directory; those of others stay', () => {
  mkdirSync(file('skills/own'), { recursive: true });
  writeFileSync(file('skills/own/SKILL.md'), 'own');
  publish({
    skills: [
      skill('review', '---\nname: x\ndescription: y\n---\n# Review', 'How to: "review"'),
      skill('qa', 'q'),
    ],
  });
  expect(text('skills/mission-control/review/SKILL.md')).toBe(
    '---\nname: review\ndescription: "How to: \\"review\\""\n---\n\n# Review',
  );
  publish({ skills: [skill('review', '# Review 2')] });
  expect(text('skills/mission-control/review/SKILL.md')).toContain('# Review 2');
  expect(readdirSync(file('skills/mission-control'))).toEqual(['review']);
  publish({ skills: [] });
  expect(readdirSync(file('skills/mission-control'))).toEqual([]);
  expect(text('skills/own/SKILL.md')).toBe('own');
});

test('memory, tools and heartbeat are never touched', () => {
  mkdirSync(file());
  for (const name of ['MEMORY.md', 'TOOLS.md', 'HEARTBEAT.md']) writeFileSync(file(name), name);
  publish({});
  for (const name of ['MEMORY.md', 'TOOLS.md', 'HEARTBEAT.md']) expect(text(name)).toBe(name);
});

describe('nothing is written outside the workspace', () => {
  const untouched = (): void => {
    expect(readdirSync(outside)).toEqual(['SOUL.md']);
    expect(readFileSync(join(outside, 'SOUL.md'), 'utf8')).toBe('theirs');
    expect(readdirSync(root).toSorted()).toEqual(['outside', 'profiles', 'workspaces']);
  };

  test.each(['../x', '..', '.', '', 'a/b', '/etc', 'a\0b', '-x', '.git', 'ä', 'x'.repeat(65)])(
    'a skill with the slug %j is left out and named',
    (slug) => {
      publish({ skills: [skill(slug, 'evil'), skill('good', 'g')] });
      untouched();
      expect(readdirSync(file('skills/mission-control'))).toEqual(['good']);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain('its slug cannot be used');
    },
  );

  test('the workspace is a link', () => {
    symlinkSync(outside, file());
    publish({ skills: [skill('s', 'x')] });
    untouched();
    expect(lines).toContain('engineer: SOUL.md is left alone: engineer is a link or a file');
    // It is said once, and done once the link is gone.
    const said = lines.length;
    look();
    expect(lines).toHaveLength(said);
    rmSync(file());
    look();
    expect(text('SOUL.md')).toBe('a soul');
  });

  test.each([['skills'], ['skills/mission-control'], ['skills/mission-control/s']])(
    '%s is a link',
    (path) => {
      mkdirSync(join(file(path), '..'), { recursive: true });
      symlinkSync(outside, file(path));
      publish({ skills: [skill('s', 'x')] });
      untouched();
      expect(lines[0]).toMatch(
        /^engineer: skills\/mission-control\/s\/SKILL\.md is left alone: .* is a link or a file$/,
      );
      // Nor is anything taken away behind it.
      publish({ skills: [] });
      untouched();
    },
  );

  test.each(['SOUL.md', 'AGENTS.md', 'SOUL.md.edited'])('%s is a link', (name) => {
    mkdirSync(file());
    symlinkSync(join(outside, 'SOUL.md'), file(name));
    if (name === 'SOUL.md.edited') writeFileSync(file('SOUL.md'), 'an edit');
    publish({});
    untouched();
  });

  test('a skill whose directory became a link after it was written', () => {
    publish({ skills: [skill('s', 'x')] });
    rmSync(file('skills/mission-control'), { recursive: true });
    symlinkSync(outside, file('skills/mission-control'));
    mkdirSync(join(outside, 's'));
    publish({ skills: [] });
    expect(existsSync(join(outside, 's'))).toBe(true);
    expect(lstatSync(file('skills/mission-control')).isSymbolicLink()).toBe(true);
  });

  test('a pipe in the place of a file holds nothing up', () => {
    mkdirSync(file());
    execFileSync('mkfifo', [file('SOUL.md')]);
    publish({});
    expect(lines).toEqual(['engineer: SOUL.md is left alone: SOUL.md is no plain file']);
    expect(text('USER.md')).toBe('a user');
  });
});

describe('a profile that cannot be used leaves what is there', () => {
  test.each(['', '{', 'null', '[]', '{"version":2}'])('%j', (broken) => {
    publish({});
    writeFileSync(join(published, 'engineer.json'), broken);
    look();
    expect(text('SOUL.md')).toBe('a soul');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('its profile is not taken over');
  });

  test('parts of the wrong kind or size are left out and named', () => {
    const notes: string[] = [];
    const big = 'x'.repeat(700_000);
    const skills = [null, 1, { slug: 'a' }, skill('big', big), skill('A', 'x'), skill('a', 'twin')];
    const profile: Profile = parseProfile(
      JSON.stringify({ version: 1, soul: 1, identity: big, skills }),
      (note) => notes.push(note),
    );
    expect(profile).toMatchObject({ soul: null, identity: null, user: null, agents: null, model: null });
    expect(profile.skills.map(({ slug }) => slug)).toEqual(['A']);
    expect(notes).toEqual([
      'its identity is too long',
      ...['a skill that is none', 'a skill that is none', 'a skill that is none'],
      'the skill big: it is too long',
    ]);
  });

  test('one that is gone leaves everything', () => {
    publish({});
    rmSync(join(published, 'engineer.json'));
    look();
    expect(text('SOUL.md')).toBe('a soul');
  });
});
