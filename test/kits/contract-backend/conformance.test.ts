/** The same calls to the backend of convex/ and to this one: the answers must be the same but for ids and times. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as v from 'valibot';
import * as schemas from '../../../src/mission-control/schemas.ts';
import { startBackend, type Backend } from '../../../src/local/mission-control/spawn.ts';
import { startContractBackend, type ContractBackend } from './spawn.ts';

const AGENTS = ['squad-lead', 'engineer', 'qa'];

/** One of the two, with what differs between them hidden. */
interface Side {
  url: string;
  auth: { accountId: string; serviceToken: string };
  createTask: (assignees: string[]) => Promise<string>;
  say: (taskId: string, content: string) => Promise<string>;
}

let real: Backend;
let fake: ContractBackend;
let sides: Side[];

beforeAll(async () => {
  [real, fake] = await Promise.all([startBackend({ faults: true }), startContractBackend()]);
  sides = [realSide(real), await fakeSide(fake)];
});
afterAll(() => Promise.all([real.close(), fake.close()]));

const Answer = v.looseObject({ status: v.string(), value: v.optional(v.unknown()) });

async function call(side: { url: string; auth: object }, path: string, args: object) {
  const response = await fetch(`${side.url}/api/action`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      path: path.includes(':') ? path : `service/actions:${path}`,
      format: 'convex_encoded_json',
      args: [{ ...side.auth, ...args }],
    }),
  });
  return v.parse(Answer, await response.json());
}

const get = async <T>(schema: v.GenericSchema<unknown, T>, ...args: Parameters<typeof call>): Promise<T> =>
  v.parse(schema, (await call(...args)).value);

function realSide({ url, accountId, serviceToken, personToken }: Backend): Side {
  const person = { url, auth: { accountId, personToken } };
  return {
    url,
    auth: { accountId, serviceToken },
    createTask: async (assignedAgentSlugs) =>
      (
        await get(v.object({ taskId: v.string() }), person, 'demo/actions:createTask', {
          title: 'A task',
          assignedAgentSlugs,
        })
      ).taskId,
    say: async (taskId, content) =>
      (await get(schemas.createdMessage, person, 'demo/actions:postMessage', { taskId, content })).messageId,
  };
}

async function fakeSide(backend: ContractBackend): Promise<Side> {
  await backend.addAgents(AGENTS.map((slug) => ({ slug })));
  await backend.setOrchestrator('squad-lead');
  const { url, accountId, serviceToken } = backend;
  return {
    url,
    auth: { accountId, serviceToken },
    createTask: async (assignees) => (await backend.createTasks({ assignees }))[0] ?? '',
    say: async (taskId, content) => (await backend.post({ taskIds: [taskId], content }))[0] ?? '',
  };
}

const Roster = v.array(v.looseObject({ _id: v.string(), slug: v.string() }));
const Rows = v.array(schemas.notificationRow);

interface Stage {
  side: Side;
  taskId: string;
  /** By slug. */
  agents: Record<string, string>;
  call: (name: string, args?: object) => ReturnType<typeof call>;
  /** The undelivered rows of this task. */
  queue: (limit?: number) => Promise<v.InferOutput<typeof Rows>>;
}

async function stageOf(side: Side, assignees: string[]): Promise<Stage> {
  const taskId = await side.createTask(assignees);
  const roster = await get(Roster, side, 'listAgents', {});
  return {
    side,
    taskId,
    agents: Object.fromEntries(roster.map(({ _id, slug }) => [slug, _id])),
    call: (name, args = {}) => call(side, name, args),
    queue: async (limit = 500) =>
      (await get(Rows, side, 'listUndeliveredNotifications', { limit })).filter(
        (row) => row.taskId === taskId,
      ),
  };
}

/** Replaces each id by its place of first mention and each time by "time", so that both sides say the same. */
function plain(value: unknown, stage: Stage): unknown {
  const names = new Map<string, string>([
    [stage.side.auth.accountId, '<account>'],
    [stage.taskId, '<task>'],
    ...Object.entries(stage.agents).map(([slug, id]): [string, string] => [id, `<${slug}>`]),
  ]);
  const text = JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'number' && field > 1e12 ? 'time' : field,
  );
  const named = [...names].reduce((said, [id, name]) => said.replaceAll(id, name), text);
  const seen: string[] = [];
  return JSON.parse(
    named
      .replace(/"[0-9a-z]{32}"/g, (id) => {
        if (!seen.includes(id)) seen.push(id);
        return `"<id ${seen.indexOf(id)}>"`;
      })
      .replace(/\[Request ID: \w+\]/g, '[Request ID]'),
  );
}

const scenarios: [string, string[], (stage: Stage) => Promise<unknown>][] = [
  ['an assignment waits for its agent', ['engineer'], async ({ queue }) => bare(await queue())],
  [
    'the delivery context',
    ['engineer'],
    async ({ side, taskId, queue }) => {
      await side.say(taskId, `long ${'x'.repeat(3_000)}`);
      const contexts = [];
      for (const { _id } of await queue()) {
        const context = await get(schemas.deliveryContext, side, 'getNotificationForDelivery', {
          notificationId: _id,
        });
        contexts.push(context && { ...context, ...nameless(context) });
      }
      return contexts;
    },
  ],
  [
    'messages coalesce into the row that waits, and not into one that is delivered',
    ['engineer'],
    async ({ side, taskId, queue, call: ask }) => {
      await side.say(taskId, 'one');
      const before = await queue();
      const second = await side.say(taskId, 'two');
      const after = await queue();
      for (const { _id } of after) await ask('markNotificationDelivered', { notificationId: _id });
      await side.say(taskId, 'three');
      const third = await queue();
      return {
        rows: [before, after, third].map(bare),
        kept: after.map(({ _id }) => before.some((row) => row._id === _id)),
        newest: after.map(({ messageId }) => messageId === second),
        fresh: third.map(({ _id }) => after.some((row) => row._id === _id)),
      };
    },
  ],
  [
    'a mention has a row of its own, and nobody else hears of the message',
    ['engineer', 'qa'],
    async ({ side, taskId, queue }) => {
      await side.say(taskId, '@engineer look');
      return bare(await queue());
    },
  ],
  [
    'one message per notification, whoever asks again',
    ['engineer'],
    async ({ side, taskId, agents, queue, call: ask }) => {
      const [row] = await queue();
      const draft = { taskId, agentId: agents['engineer'], sourceNotificationId: row?._id };
      const posted = await Promise.all(
        ['a', 'b', 'c'].map((content) => ask('createMessageFromAgent', { ...draft, content })),
      );
      const free = await ask('createMessageFromAgent', {
        taskId,
        agentId: agents['engineer'],
        content: 'd',
      });
      const details = v.object({ thread: v.array(schemas.threadMessage) });
      const { thread } = await get(details, side, 'loadTaskDetailsForAgentTool', {
        taskId,
        agentId: agents['engineer'],
        messageLimit: 10,
      });
      return {
        same: new Set(posted.map(({ value }) => JSON.stringify(value))).size,
        free: free.status,
        thread: thread.map(({ authorType }) => authorType),
        told: bare(await queue()),
      };
    },
  ],
  [
    'an agent’s quiet message wakes no agent',
    ['engineer'],
    async ({ taskId, agents, queue, call: ask }) => {
      await ask('createMessageFromAgent', {
        taskId,
        agentId: agents['engineer'],
        content: 'a note, @qa',
        suppressAgentNotifications: true,
      });
      return bare(await queue());
    },
  ],
  [
    'the move of a task into work: expected, not expected, already made',
    ['engineer'],
    async ({ taskId, agents, call: ask, queue }) => {
      const change = { taskId, agentId: agents['engineer'] };
      return [
        await ask('updateTaskStatusFromAgent', { ...change, status: 'in_progress', expectedStatus: 'inbox' }),
        await ask('updateTaskStatusFromAgent', {
          ...change,
          status: 'in_progress',
          expectedStatus: 'assigned',
        }),
        await ask('updateTaskStatusFromAgent', { ...change, status: 'in_progress' }),
        bare(await queue()),
      ];
    },
  ],
  [
    'marks, also twice and of a row that is not there',
    ['engineer'],
    async ({ queue, taskId, call: ask }) => {
      const notificationId = (await queue())[0]?._id;
      return [
        await ask('markNotificationRead', { notificationId }),
        await ask('markNotificationDeliveryEnded', { notificationId }),
        await ask('markNotificationDelivered', { notificationId }),
        await ask('markNotificationDelivered', { notificationId }),
        await ask('markNotificationDeliveryEnded', { notificationId }),
        (await ask('markNotificationRead', { notificationId: taskId })).status,
        await queue(),
      ];
    },
  ],
  [
    'the roster, the orchestrator and the work of an agent',
    ['engineer'],
    async ({ side, agents, call: ask }) => [
      (await get(v.array(schemas.agentRow), side, 'listAgents', {})).map(
        ({ name: _, role: __, ...rest }) => rest,
      ),
      await ask('getOrchestratorAgentId'),
      (
        await get(v.array(schemas.taskRow), side, 'listAssignedTasksForAgent', {
          agentId: agents['engineer'],
          limit: 1,
        })
      ).map(({ _id, status }) => [_id, status]),
      await ask('listTasksForOrchestratorHeartbeat', { statuses: [] }),
      (await ask('updateAgentHeartbeat', { agentId: agents['qa'], status: 'online' })).status,
    ],
  ],
  [
    'the runtime’s status, and that nothing is asked of it',
    [],
    async ({ call: ask }) => {
      const config = {
        dropletId: 'd',
        ipAddress: 'i',
        lastHealthCheck: Date.now(),
        openclawVersion: '1',
        runtimeServiceVersion: '2',
      };
      return [
        await ask('updateRuntimeStatus', { status: 'online', config }),
        await ask('checkAndClearRestartRequested'),
        await ask('getPendingUpgrade'),
        await ask('updateRuntimeStatus', { status: 'offline', config }),
        await ask('updateRuntimeStatus', { status: 'sleeping' }).then(({ status }) => status),
      ];
    },
  ],
  [
    'refusals',
    ['engineer'],
    async ({ call: ask, agents, taskId }) => [
      await ask('listAgents', { serviceToken: 'x' }),
      await ask('listAgents', { serviceToken: 'mc_service_x' }),
      await ask('listAgents', { serviceToken: `mc_service_nobody_${'a'.repeat(64)}` }),
      await ask('listAgents', { serviceToken: 'y'.repeat(513) }),
      (await ask('listAgents', { extra: 1 })).status,
      (await ask('nothing')).status,
      await ask('createMessageFromAgent', {
        taskId,
        agentId: agents['engineer'],
        content: 'x'.repeat(100_001),
      }),
    ],
  ],
];

/** What a row says, without the words for people: they are not part of the contract. */
const bare = (rows: v.InferOutput<typeof Rows>): object[] =>
  rows.map(({ title: _, body: __, ...row }) => row);

/** The context without the words for people, and without what only the other side's seed has. */
function nameless(context: NonNullable<v.InferOutput<typeof schemas.deliveryContext>>): object {
  const { notification, task, agent, thread } = context;
  return {
    notification: bare([notification]),
    task: task && { ...task, title: '' },
    agent: agent && { _id: agent._id, slug: agent.slug },
    thread: thread.map((message) => ({ ...message, content: message.content.length })),
    mentionableAgents: context.mentionableAgents.map(({ slug }) => slug),
    assignedAgents: context.assignedAgents.map(({ slug }) => slug),
    message: context.message && context.message.authorId,
    repositoryDoc: null,
  };
}

test.each(scenarios)('%s', async (_, assignees, play) => {
  const [expected, actual] = await Promise.all(
    sides.map(async (side) => {
      const stage = await stageOf(side, assignees);
      return plain(await play(stage), stage);
    }),
  );
  expect(actual).toEqual(expected);
});
