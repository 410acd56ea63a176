import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../test/kits/runtime.ts';
import { createRosterWriter } from './roster.ts';

const ENGINEER = { slug: 'engineer', name: 'Engineer' };

test('the file says who there is, and nothing is left beside it', async () => {
  const dir = temporaryDirectory();
  await createRosterWriter(join(dir, 'roster.json'))({ input: { roster: [ENGINEER] } });
  const text = readFileSync(join(dir, 'roster.json'), 'utf8');
  expect(JSON.parse(text)).toEqual({ version: 1, agents: [ENGINEER] });
  expect(readdirSync(dir)).toEqual(['roster.json']);
});

test('what it says already is not written again', async () => {
  const path = join(temporaryDirectory(), 'roster.json');
  await createRosterWriter(path)({ input: { roster: [ENGINEER] } });
  const { ino } = statSync(path);
  await createRosterWriter(path)({ input: { roster: [ENGINEER] } });
  expect(statSync(path).ino).toBe(ino);
  await createRosterWriter(path)({ input: { roster: [] } });
  expect(statSync(path).ino).not.toBe(ino);
});

test('a file that cannot be written is named', async () => {
  const dir = temporaryDirectory();
  mkdirSync(join(dir, 'roster.json'));
  await expect(createRosterWriter(join(dir, 'roster.json'))({ input: { roster: [] } })).rejects.toThrow(
    /Cannot write .*roster\.json \(EISDIR\): correct OPENCLAW_ROSTER_FILE/,
  );
  await expect(createRosterWriter(join(dir, 'no', 'r'))({ input: { roster: [] } })).rejects.toThrow(
    /\(ENOENT\)/,
  );
});

test('without a file there is nobody to tell', async () => {
  await expect(createRosterWriter(null)({ input: { roster: [ENGINEER] } })).resolves.toBeUndefined();
});
