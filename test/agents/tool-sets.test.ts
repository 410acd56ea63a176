/** Check 1 of docs/agents.md: each set of tools is exactly what goes over the wire. */
import { expect, test } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { began, NOTHING_KNOWN } from '../../machines/notification/entry.ts';
import { actingInBeat, type ToolMode } from '../../machines/shared/acting.ts';
import type { BehaviorFlags } from '../../machines/shared/mission-control.ts';
import { NO_ROUNDS } from '../../machines/shared/rounds.ts';
import type { Sign } from '../../machines/shared/child-messages.ts';
import { createBeatActors } from '../../src/actors/beat.ts';
import { createDeadLetters } from '../../src/actors/dead-letters.ts';
import { createEntries } from '../../src/actors/entries.ts';
import { createNotificationActors, type Surroundings } from '../../src/actors/notification.ts';
import { createSessionLock } from '../../src/actors/session-lock.ts';
import { createGateway } from '../../src/gateway/client.ts';
import { temporaryDirectory } from '../kits/runtime.ts';
import {
  createListener,
  rowWithout,
  sampleAgent,
  sampleContext,
  sampleRow,
  sampleTask,
} from '../kits/samples/mission-control.ts';
import { scriptedGateway } from '../kits/scripted-gateway.ts';
import { openTestStore } from '../kits/store.ts';

const DEFAULTS: BehaviorFlags = {
  canCreateTasks: false,
  canModifyTaskStatus: true,
  canCreateDocuments: true,
  canMentionAgents: true,
  canReviewTasks: false,
  canMarkDone: false,
};
const ALL_OFF = {
  ...DEFAULTS,
  canModifyTaskStatus: false,
  canCreateDocuments: false,
  canMentionAgents: false,
};
const CREATES = { ...DEFAULTS, canCreateTasks: true };
const LEAD_ALONE = [
  'task_assign',
  'task_message',
  'task_list',
  'task_get',
  'task_thread',
  'task_search',
  'task_delete',
  'task_link_pr',
];
const WITH_TASK = [
  'task_status',
  'task_update',
  'document_upsert',
  'document_list',
  'response_request',
  'get_agent_skills',
  'task_load',
  'task_history',
];
const WITHOUT_TASK = ['document_upsert', 'document_list', 'get_agent_skills', 'task_load'];
const READS = ['document_list', 'get_agent_skills', 'task_load', 'task_history'];
const LEAD_READS = ['task_list', 'task_get', 'task_thread', 'task_search'];

interface Case {
  role: 'agent' | 'orchestrator';
  flags: BehaviorFlags;
  mode: ToolMode;
  withTask: string[];
  withoutTask: string[];
}

const CASES: [name: string, kase: Case][] = [
  [
    'the default agent',
    { role: 'agent', flags: DEFAULTS, mode: 'on', withTask: WITH_TASK, withoutTask: WITHOUT_TASK },
  ],
  [
    'an agent that may create tasks',
    {
      role: 'agent',
      flags: CREATES,
      mode: 'on',
      withTask: WITH_TASK.toSpliced(2, 0, 'task_create'),
      withoutTask: ['task_create', ...WITHOUT_TASK],
    },
  ],
  [
    'an agent with all flags off',
    {
      role: 'agent',
      flags: ALL_OFF,
      mode: 'on',
      withTask: READS,
      withoutTask: ['get_agent_skills', 'task_load'],
    },
  ],
  [
    'the orchestrator',
    {
      role: 'orchestrator',
      flags: DEFAULTS,
      mode: 'on',
      withTask: [...WITH_TASK, ...LEAD_ALONE],
      withoutTask: [...WITHOUT_TASK, ...LEAD_ALONE],
    },
  ],
  [
    'an orchestrator that may create tasks',
    {
      role: 'orchestrator',
      flags: CREATES,
      mode: 'on',
      withTask: [...WITH_TASK.toSpliced(2, 0, 'task_create'), ...LEAD_ALONE],
      withoutTask: ['task_create', ...WITHOUT_TASK, ...LEAD_ALONE],
    },
  ],
  [
    'AGENT_TOOLS=read',
    { role: 'agent', flags: DEFAULTS, mode: 'read', withTask: READS, withoutTask: READS.slice(0, 3) },
  ],
  [
    'AGENT_TOOLS=read for the orchestrator',
    {
      role: 'orchestrator',
      flags: DEFAULTS,
      mode: 'read',
      withTask: [...READS, ...LEAD_READS],
      withoutTask: [...READS.slice(0, 3), ...LEAD_READS],
    },
  ],
  ['AGENT_TOOLS=off', { role: 'orchestrator', flags: CREATES, mode: 'off', withTask: [], withoutTask: [] }],
];

async function wire(mode: ToolMode) {
  const scripted = await scriptedGateway(['engineer'], () => ({ text: 'Done.' }));
  const tools = {
    mode,
    execute: () => Promise.reject(new Error('nothing is called here')),
    report: () => undefined,
  };
  const { store } = openTestStore(temporaryDirectory());
  const surroundings: Surroundings = {
    missionControl: {} as Surroundings['missionControl'],
    gateway: createGateway({ ...scripted, requestTimeoutMs: 5_000 }),
    entries: createEntries(store),
    letters: createDeadLetters(store),
    sessions: createSessionLock(),
    spending: { add: () => null },
    log: {} as Surroundings['log'],
    tools,
    countRun: () => undefined,
  };
  return { scripted, surroundings, tools };
}

test.each(CASES)('check 1, tool sets: %s', async (_, { role, flags, mode, withTask, withoutTask }) => {
  const { scripted, surroundings, tools } = await wire(mode);
  const { runAgent } = createNotificationActors(surroundings);
  const { runBeat } = createBeatActors(surroundings, { ...tools, followUps: null, roster: () => [] });
  const signs = createListener<Sign>().parent;
  const isOrchestrator = role === 'orchestrator';
  const agent = sampleAgent({ effectiveBehaviorFlags: flags });
  for (const task of [sampleTask(), null]) {
    const expected = task === null ? withoutTask : withTask;
    const delivery = sampleContext({
      notification: task === null ? rowWithout('taskId') : sampleRow(),
      task,
      orchestratorAgentId: isOrchestrator ? agent._id : 'somebody-else',
      effectiveBehaviorFlags: flags,
    });
    const input = { id: 'n1', entry: began(NOTHING_KNOWN), delivery, typing: true, ranMs: 0, signs };
    await toPromise(createActor(runAgent, { input }).start());
    expect(scripted.asked.at(-1)?.tools).toEqual(expected);
    // Without tools there is no such field in the body, and no word of them in the prompt.
    expect(scripted.asked.at(-1)?.body.includes('"tools"')).toBe(expected.length > 0);
    expect(scripted.asked.at(-1)?.instructions.includes('You can act')).toBe(expected.length > 0);

    const acting =
      mode === 'off' ? null : actingInBeat({ agent, isOrchestrator, focus: task, roster: [agent] });
    const plan = { isOrchestrator, tasks: [], leftOut: 0, focus: task, thread: [], acting };
    await toPromise(
      createActor(runBeat, { input: { agent, plan, rounds: NO_ROUNDS, ranMs: 0, signs } }).start(),
    );
    expect(scripted.beats.at(-1)?.tools).toEqual(expected);
  }
});
