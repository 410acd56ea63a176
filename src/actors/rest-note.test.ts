import { expect, test } from 'vitest';
import { openTestStore } from '../../test/kits/store.ts';
import { temporaryDirectory } from '../../test/kits/runtime.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { Log } from '../logging/log.ts';
import { createRestNote } from './rest-note.ts';

test('a thread that cannot be told is named as agent and task in the log, its key beside it', async () => {
  const { store } = openTestStore(temporaryDirectory());
  const lines: Parameters<Log['warn']>[] = [];
  const fault = new Fault('backendUnavailable', 'Convex is away.');
  const refuse = () => Promise.reject(fault);
  const tell = createRestNote({
    missionControl: { loadContext: refuse, postMessage: refuse },
    store,
    log: { warn: (...line) => lines.push(line) },
  });
  const input = {
    session: 'task:t1:agent:engineer',
    title: 'engineer · Fix the login bug',
    notificationId: 'n1',
  };
  const { result } = await tell({ input, signal: new AbortController().signal });
  store.close();
  expect(result).toBe('failed');
  const { session, title } = input;
  expect(lines).toEqual([['agent.restUntold', expect.any(String), { title, session, error: fault }]]);
});
