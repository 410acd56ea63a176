import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createActor, toPromise } from 'xstate';
import { expect, test } from 'vitest';
import { agentRow } from '../../test/kits/samples/agent-row.ts';
import type { TaskRow } from '../../machines/shared/mission-control.ts';
import type { MissionControl } from '../ports.ts';
import { rememberFocus } from '../../machines/heartbeat/focus.ts';
import { openTestStore } from '../../test/kits/store.ts';
import { createBeatActors, type FollowUps } from './beat.ts';
import { createDeadLetters } from './dead-letters.ts';
import type { Surroundings } from './notification.ts';

const HOUR_MS = 3_600_000;

/** In progress for the engineer, the first the longest without news. */
const stuck = Array.from({ length: 19 }, (_, n): TaskRow => ({
  _id: `stuck${n}`,
  title: 'Stuck',
  status: 'in_progress',
  priority: 3,
  labels: [],
  assignedAgentIds: ['engineer'],
  assignedUserIds: [],
  updatedAt: Date.now() - HOUR_MS + n,
}));

const NO_TOOLS = {
  mode: 'off' as const,
  execute: () => Promise.reject(new Error('no calls here')),
  report: () => undefined,
  roster: () => [agentRow('squad-lead', 'lead'), agentRow('engineer')],
};

function world(followUps: FollowUps) {
  const reads: number[] = [];
  const missionControl: Partial<MissionControl> = {
    getOrchestratorAgentId: () => Promise.resolve('lead'),
    listAssignedTasks: () => Promise.resolve([]),
    listOrchestratorTasks: (_, limit) => {
      reads.push(limit);
      return Promise.resolve(stuck.toReversed());
    },
    loadThread: () => Promise.resolve([]),
  };
  const log = { info: () => undefined, warn: () => undefined };
  const surroundings = { missionControl, log } as unknown as Surroundings;
  const { planBeat } = createBeatActors(surroundings, { ...NO_TOOLS, followUps });
  const plan = (seen: readonly string[] = []) => {
    const actor = createActor(planBeat, { input: { agent: agentRow('squad-lead', 'lead'), seen } });
    const done = toPromise(actor);
    actor.start();
    return done;
  };
  return { plan, reads };
}

test("the orchestrator's beat reads 200 tasks, and each of nineteen stuck ones is in focus within nineteen beats", async () => {
  const { plan, reads } = world(null);
  const focused = new Set<string | undefined>();
  let seen: readonly string[] = [];
  for (let beat = 0; beat < 19; beat++) {
    const focus = (await plan(seen)).focus?._id;
    focused.add(focus);
    seen = rememberFocus(seen, focus ?? null);
  }
  expect(focused.size).toBe(19);
  expect(reads[0]).toBe(200);
});

test('it asks the assignees of the three that stand still longest', async () => {
  const asked: unknown[] = [];
  const { plan } = world({
    requestResponses: ({ taskId, recipientSlugs }) => {
      asked.push([taskId, recipientSlugs]);
      return Promise.resolve({ notificationIds: ['n'] });
    },
  });
  await plan();
  expect(asked).toEqual([
    ['stuck0', ['engineer']],
    ['stuck1', ['engineer']],
    ['stuck2', ['engineer']],
  ]);
});

test('a text that cannot be posted is kept with agent, task and reason', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'beat-'));
  const { store } = openTestStore(dir);
  const letters = createDeadLetters(store);
  const { keepDeadLetter } = createBeatActors({ letters } as Surroundings, { ...NO_TOOLS, followUps: null });
  const letter = {
    agentId: 'engineer',
    title: 'engineer · Fix the login bug',
    message: { taskId: 'task-1', content: 'It is done.' },
    reason: 'Convex refused it.',
  };
  const actor = createActor(keepDeadLetter, { input: letter });
  const done = toPromise(actor);
  actor.start();
  await done;
  expect(letters.all()).toMatchObject([
    {
      notificationId: 'heartbeat:engineer',
      taskId: 'task-1',
      agentId: 'engineer',
      title: letter.title,
      text: 'It is done.',
      reason: 'Convex refused it.',
    },
  ]);
  store.close();
  rmSync(dir, { recursive: true });
});
