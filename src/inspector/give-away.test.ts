import { expect, test } from 'vitest';
import { describeTrouble } from '../../machines/delivery/scopes.ts';
import { actor, picture, STATUS, step } from '../../test/kits/samples/inspector.ts';
import { entriesToGiveAway, pictureToGiveAway } from './give-away.ts';
import type { Entry } from './wire.ts';

const PATH = 'supervisor/delivery/notification:a/t';
const secretive = actor(PATH, { title: 'engineer · SECRET' });
const status = {
  ...STATUS,
  reason: 'One is away. SECRET words.',
  problems: [
    {
      source: 'session:a/t',
      problem: describeTrouble('session:a/t', 'engineer · SECRET. It', 'SECRET words.'),
      since: null,
      nextTryAt: null,
    },
  ],
};

test('what is recorded names no task and quotes nobody, and keeps all the rest', () => {
  const entries: Entry[] = [
    step(1),
    { kind: 'title', seq: 2, at: 2, path: PATH, title: 'engineer · SECRET' },
    { kind: 'actor', seq: 3, at: 3, actor: secretive },
    { kind: 'status', seq: 4, at: 4, status },
    { kind: 'gone', seq: 5, at: 5, path: PATH },
  ];
  const kept = [pictureToGiveAway(picture([secretive], { status })), ...entriesToGiveAway(entries)];
  expect(JSON.stringify(kept)).not.toContain('SECRET');
  expect(entriesToGiveAway(entries).map(({ seq }) => seq)).toEqual([1, 3, 4, 5]);
  expect(JSON.stringify(kept)).toContain('One is away.');
});
