import { expect, test } from 'vitest';
import { actor } from '../../../test/kits/samples/inspector.ts';
import type { ActorView } from '../wire.ts';
import { treeRows } from './forest.ts';

const beat = (slug: string, changes: Partial<ActorView>): ActorView =>
  actor(`supervisor/heartbeat:${slug}`, { machine: 'heartbeat', ...changes });

const actors = new Map(
  [
    actor('supervisor', { tags: ['ready'] }),
    actor('supervisor/gateway', { tags: ['degraded'] }),
    beat('a', { tags: ['ready'] }),
    beat('b', { tags: ['degraded'] }),
    beat('c', { tags: [], status: 'error' }),
    beat('d', { tags: ['attention'], status: 'done' }),
  ].map((one) => [one.path, one]),
);

const toneOfRow = (key: string, toggled: string[] = []): string | undefined =>
  treeRows(actors, new Set(toggled), '').find((row) => row.key === key)?.tone;

test('a folded row has the worst colour of all that is in it; who has ended counts only by a crash', () => {
  expect(toneOfRow('supervisor/heartbeat*')).toBe('failed');
  expect(toneOfRow('supervisor')).toBe('ready');
  expect(toneOfRow('supervisor', ['supervisor'])).toBe('failed');
  expect(toneOfRow('supervisor/heartbeat:d', ['supervisor/heartbeat*'])).toBe('over');
});

test('a session is found by its title', () => {
  const session = actor('supervisor/heartbeat:x', { title: 'engineer · Fix the login bug' });
  const found = treeRows(new Map([...actors, [session.path, session]]), new Set(), 'login');
  expect(found.map(({ key }) => key)).toContain(session.path);
});
