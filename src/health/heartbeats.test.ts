import { expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { HEARTBEATS_SHOWN, heartbeatsShown, isHeartbeat } from './heartbeats.ts';

const heartbeat = (n: number, tags: string[]) =>
  createActor(createMachine({ tags }), { id: `heartbeat:${n}` }).start();

test('of many heartbeats some are listed, those that cannot be reached before all others', () => {
  const well = Array.from({ length: HEARTBEATS_SHOWN + 10 }, (_, n) => heartbeat(n, ['ready']));
  const away = heartbeat(999, ['degraded']);
  const shown = heartbeatsShown([...well, away]);
  expect(shown).toHaveLength(HEARTBEATS_SHOWN);
  expect(shown[0]).toBe(away);
});

test('a session is no heartbeat', () => {
  expect(isHeartbeat(createActor(createMachine({}), { id: 'beat:agent/system' }))).toBe(false);
  expect(isHeartbeat(undefined)).toBe(false);
});
