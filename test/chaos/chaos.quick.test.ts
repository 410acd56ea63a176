import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { playChaos } from './chaos.ts';
import { isClean, judge } from './verdict.ts';

const ROOT = join(import.meta.dirname, '../..');

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.ts'), '--if-missing']);
});

test.each(['plain', 'extended'] as const)(
  'six kills, %s backend: nothing lost, nothing twice, nothing out of order',
  // A second reply that a kill cut off is waited for, up to 30 s.
  { timeout: 180_000 },
  async (backend) => {
    const verdict = judge(await playChaos({ kills: 6, seed: 11, sessions: 20, backlog: 40, backend }));
    expect(isClean(verdict) || verdict).toBe(true);
    expect(verdict.kills).toBe(6);
    expect(verdict.runs).toBeGreaterThan(40);
  },
);
