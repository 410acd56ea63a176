import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { profilesOf } from '../../machines/profile-sync/profile.ts';
import { temporaryDirectory } from '../../test/kits/runtime.ts';
import { agentProfile } from '../../test/kits/samples/agent-profile.ts';
import { createProfileWriter } from './profiles.ts';

const published = (...slugs: string[]) => ({ input: profilesOf(slugs.map((slug) => agentProfile(slug))) });

function writer(rosterFile: string) {
  const lines: string[] = [];
  const write = (_event: string, message: string): void => void lines.push(message);
  return {
    write: createProfileWriter(rosterFile, { warn: write }),
    lines,
  };
}

test('one file an agent, only what differs is written, and the file of an agent that is gone goes', async () => {
  const dir = temporaryDirectory();
  const { write } = writer(join(dir, 'roster.json'));
  await write(published('Engineer', 'qa'));
  expect(readdirSync(join(dir, 'profiles')).toSorted()).toEqual(['engineer.json', 'qa.json']);
  const path = join(dir, 'profiles/qa.json');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: 1, slug: 'qa', soul: 'soul' });
  const { ino } = statSync(path);
  await write(published('Engineer', 'qa'));
  expect(statSync(path).ino).toBe(ino);
  await write(published('qa'));
  expect(readdirSync(join(dir, 'profiles'))).toEqual(['qa.json']);
});

test('what is left out is said once', async () => {
  const { write, lines } = writer(join(temporaryDirectory(), 'roster.json'));
  const evil = published('../x');
  await write(evil);
  await write(evil);
  expect(lines).toEqual(["Not published of the agents' profiles: the agent ../x: its slug cannot be used"]);
});

test('a directory that cannot be written is named', async () => {
  const dir = temporaryDirectory();
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'profiles'), '');
  await expect(writer(join(dir, 'roster.json')).write(published('qa'))).rejects.toThrow(
    /^Cannot write .*profiles \(EEXIST\): correct OPENCLAW_ROSTER_FILE, or its directory's owner\.$/,
  );
});

test('without a roster there is nobody to tell', async () => {
  const log = { warn: (): void => undefined };
  await expect(createProfileWriter(null, log)(published('qa'))).resolves.toBeUndefined();
});
