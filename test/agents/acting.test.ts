/** What docs/agents.md promises of calls, with the built runtime: checks 2, 3, 5, 8, 9 and 10 of its table. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { relayTo } from '../kits/relay.ts';
import { startRuntime } from '../kits/runtime.ts';
import { scriptedGateway, type Answer, type Asked } from '../kits/scripted-gateway.ts';
import { missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';
import { resultsIn } from '../../src/local/echo-gateway/prompt.ts';

const SLUGS = ['engineer', 'squad-lead', 'qa'];

/** The engineer may create tasks and works on one. The relay counts the runtime's calls. */
async function world(answer: (asked: Asked, before: number) => Answer | Promise<Answer>) {
  const backend = await missionControl();
  await backend.setProfile({ slug: 'engineer', behaviorFlags: { canCreateTasks: true } });
  const { taskId } = await backend.createTask({ title: 'The work', assignedAgentSlugs: ['engineer'] });
  // The assignment is answered at once, and the squad lead, who hears of it, is silent; the tests come after that.
  const isTested = ({ agent, input }: Asked): boolean =>
    agent === 'engineer' && !input.includes('(assignment)');
  const rounds = () => gateway.asked.filter(isTested);
  const gateway = await scriptedGateway(SLUGS, (asked) => {
    if (asked.agent !== 'engineer') return { text: 'HEARTBEAT_OK' };
    return isTested(asked) ? answer(asked, rounds().length - 1) : { text: 'I take it.' };
  });
  const relay = await relayTo(backend.url);
  const runtime = await startRuntime({ backend: { ...backend, url: relay.url }, gateway });
  await until('All is answered', async () =>
    (await backend.agentRows()).every(({ deliveredAt }) => deliveredAt !== undefined),
  );
  const say = () => backend.postMessage(taskId, '@engineer go on');
  const replies = async () =>
    (await backend.listThread(taskId))
      .filter(({ authorType, content }) => authorType === 'agent' && content !== 'I take it.')
      .map(({ content }) => content);
  const made = (name: string) => relay.count(name);
  const titled = async (title: string) => (await backend.listTasks()).filter((task) => task.title === title);
  return { backend, gateway, runtime, taskId, rounds, say, replies, titled, made, relay };
}

/** The envelopes that a follow-up tells. */
const envelopes = ({ input }: Asked): { tool: string; ok: boolean; error?: { code: string } }[] =>
  (resultsIn(input) ?? []).map(({ output }) =>
    v.parse(
      v.looseObject({
        tool: v.string(),
        ok: v.boolean(),
        error: v.optional(v.looseObject({ code: v.string() })),
      }),
      JSON.parse(output),
    ),
  );

test('check 2, identity: each change bears the agent whose run it is, and agentId is no argument', async () => {
  const backend = await missionControl();
  const agents = new Map((await backend.listAgents()).map(({ slug, _id }) => [slug, _id]));
  const call = (asked: Asked): Answer => ({
    calls: [
      ['task_status', { status: 'blocked', blockedReason: 'I wait', agentId: agents.get('squad-lead') }],
      ['task_status', { status: 'blocked', blockedReason: `${asked.agent} waits` }],
    ],
  });
  const gateway = await scriptedGateway(SLUGS, (asked) =>
    resultsIn(asked.input) === null ? call(asked) : { text: 'HEARTBEAT_OK' },
  );
  const taskFor = async (slug: string): Promise<string> =>
    (await backend.createTask({ title: `For ${slug}`, assignedAgentSlugs: [slug] })).taskId;
  const [one, other] = [await taskFor('engineer'), await taskFor('qa')];
  await startRuntime({ backend, gateway });

  const Activities = v.object({
    activities: v.array(v.looseObject({ type: v.string(), actorId: v.string(), meta: v.optional(v.any()) })),
  });
  for (const [taskId, slug] of [
    [one, 'engineer'],
    [other, 'qa'],
  ] as const) {
    const agentId = agents.get(slug) ?? '';
    const changes = await until(`The task of ${slug} is blocked`, async () => {
      const history = await backend.call('service/actions:getTaskHistoryForAgentTool', { agentId, taskId });
      const found = v
        .parse(Activities, history)
        .activities.filter(({ type, meta }) => type === 'task_status_changed' && isBlocked(meta));
      return found.length > 0 && found;
    });
    expect(changes.map(({ actorId }) => actorId)).toEqual([agentId]);
  }
  const told = await until('Both agents are told', () => {
    const followUps = gateway.asked.filter(({ input }) => resultsIn(input) !== null);
    return new Set(followUps.map(({ agent }) => agent)).size === 2 && followUps;
  });
  for (const round of told) {
    expect(envelopes(round).map(({ ok, error }) => (ok ? 'ok' : error?.code))).toEqual([
      'invalid_arguments',
      'ok',
    ]);
  }
});

const isBlocked = (meta: unknown): boolean => v.is(v.looseObject({ newStatus: v.literal('blocked') }), meta);

test('check 3, parallel calls: made one after another in their order, and told with name and ordinal', async () => {
  const { backend, say, rounds, replies, made } = await world((_, before) =>
    before === 0
      ? {
          calls: [
            ['task_create', { title: 'First' }],
            ['document_upsert', { title: 'Second', content: 'x', type: 'note' }],
            ['task_create', { title: 'Third' }],
          ],
        }
      : { text: 'Three things are done.' },
  );
  // Were they made at once, the others would overtake the first.
  await backend.setFault({ path: 'service/actions:createTaskFromAgent', mode: 'ok', delayMs: 400, count: 1 });
  await say();
  await until('The reply is there', async () => (await replies()).length > 0);
  expect(made('createTaskFromAgent')).toBe(2);
  const tasks = (await backend.listTasks()).map(({ title }) => title);
  // The last one that was touched comes first.
  expect(tasks.indexOf('Third')).toBeLessThan(tasks.indexOf('First'));
  expect(tasks.filter((title) => title === 'First')).toHaveLength(1);
  const followUp = rounds()[1];
  expect(followUp?.input).toMatch(
    /^1\. task_create\n\{[^]*^2\. document_upsert\n\{[^]*^3\. task_create\n\{/m,
  );
  expect(followUp && envelopes(followUp).map(({ ok }) => ok)).toEqual([true, true, true]);
});

test('check 5, forbidden: a call outside the gate gets not_allowed, and the backend has seen no call', async () => {
  const { say, rounds, replies, made, taskId } = await world((_, before) =>
    before === 0
      ? {
          calls: [
            ['task_delete', { taskId, reason: 'because' }],
            ['task_status', { status: 'done' }],
            ['drop_tables', {}],
          ],
        }
      : { text: 'So be it.' },
  );
  const statusCalls = made('updateTaskStatusFromAgent');
  await say();
  await until('The reply is there', async () => (await replies()).length > 0);
  expect(rounds()[0]?.tools).not.toContain('task_delete');
  const followUp = rounds()[1];
  expect(followUp && envelopes(followUp).map(({ error }) => error?.code)).toEqual([
    'not_allowed',
    'not_allowed',
    'not_found',
  ]);
  expect(made('deleteTaskFromAgent')).toBe(0);
  expect(made('updateTaskStatusFromAgent')).toBe(statusCalls);
});

test.each(['fail', 'cut'] as const)(
  'check 8, repeated run: what follows the calls is asked again (%s) with the kept results, and nothing is written twice',
  async (trouble) => {
    const { say, rounds, replies, titled, made } = await world((_, before) => {
      if (before === 0) {
        return {
          calls: [
            ['task_create', { title: 'Once' }],
            ['task_status', { status: 'review' }],
          ],
        };
      }
      return before === 1 ? trouble : { text: 'Done once.' };
    });
    const statusCalls = made('updateTaskStatusFromAgent');
    await say();
    await until('The reply is there', async () => (await replies()).length > 0);
    const [, first, again] = rounds();
    expect(first && again && resultsIn(again.input)).toEqual(first && resultsIn(first.input));
    expect(again?.input).toContain('This is sent to you again');
    expect(again?.tools).toEqual(first?.tools);
    expect(rounds()).toHaveLength(3);
    expect(made('createTaskFromAgent')).toBe(1);
    expect(made('updateTaskStatusFromAgent')).toBe(statusCalls + 1);
    expect(await titled('Once')).toHaveLength(1);
    expect(await replies()).toEqual(['Done once.']);
  },
);

test('a task_status whose end is unknown does not undo what somebody has changed since', async () => {
  const backend = await missionControl();
  const task = { title: 'Moved meanwhile', assignedAgentSlugs: ['engineer'] };
  const { taskId } = await backend.createTask(task);
  const statusOf = async () => (await backend.listTasks()).find(({ _id }) => _id === taskId)?.status;
  const gateway = await scriptedGateway(SLUGS, ({ agent, input }) =>
    agent === 'engineer' && input.includes('(mention)')
      ? { calls: [['task_status', { status: 'review' }]] }
      : { text: resultsIn(input) === null ? 'HEARTBEAT_OK' : 'I leave it.' },
  );
  // The repeat is to come after the kill, and not before it.
  const first = await startRuntime({ backend, gateway, env: { DELIVERY_BACKOFF_BASE_MS: '30s' } });
  await until('The assignment is answered', async () =>
    (await backend.agentRows()).some(({ type, deliveredAt }) => type === 'assignment' && deliveredAt),
  );
  const qa = (await backend.listAgents()).find(({ slug }) => slug === 'qa')?._id ?? '';
  const move = (status: string, more: object = {}) =>
    backend.call('service/actions:updateTaskStatusFromAgent', { agentId: qa, taskId, status, ...more });
  await move('in_progress');
  await backend.setFault({ path: 'service/actions:updateTaskStatusFromAgent', mode: 'lost', count: 1 });
  await backend.postMessage(taskId, '@engineer is it ready?');
  await until('The task is in review', async () => (await statusOf()) === 'review');
  first.kill('SIGKILL');
  await first.exited;
  await move('blocked', { blockedReason: 'Not yet' });
  await startRuntime({ backend, gateway, env: { STATE_DIR: first.stateDir } });
  const told = await until('The agent is told', () =>
    gateway.asked.find(({ agent, input }) => agent === 'engineer' && resultsIn(input) !== null),
  );
  expect(envelopes(told)).toMatchObject([{ tool: 'task_status', error: { code: 'conflict' } }]);
  expect(await statusOf()).toBe('blocked');
});

test('the call in hand is on /health while it is made, and nothing of its arguments', async () => {
  const { backend, say, runtime, replies } = await world((_, before) =>
    before === 0 ? { calls: [['task_create', { title: 'Seen from outside' }]] } : { text: 'Done.' },
  );
  await backend.setFault({
    path: 'service/actions:createTaskFromAgent',
    mode: 'ok',
    delayMs: 1_500,
    count: 1,
  });
  await say();
  const health = await runtime.waitForHealth('the call in hand', ({ sessions }) =>
    sessions.shown.some(({ run }) => run?.call != null),
  );
  expect(health.sessions.shown).toMatchObject([
    {
      value: { working: { acting: 'calling' } },
      run: { round: 1, call: { tool: 'task_create', number: 1, of: 1 } },
    },
  ]);
  expect(JSON.stringify(health)).not.toContain('Seen from outside');
  await until('The reply is there', async () => (await replies()).length > 0);
});

/** The rule's time is the point: waits between tries have to reach over it. */
const AWAY_MS = 60_000;

test('check 9, Convex 503: a minute of it in the middle of a call costs neither the call nor an attempt', async () => {
  const { backend, say, rounds, replies, titled, runtime } = await world((_, before) =>
    before === 0 ? { calls: [['task_create', { title: 'Through' }]] } : { text: 'It is made.' },
  );
  // The first try has its effect, and nobody hears of it.
  await backend.setFault({ path: 'service/actions:createTaskFromAgent', mode: 'lost', count: 1 });
  await say();
  await until('The call has had its effect', async () => (await titled('Through')).length > 0);
  await backend.setFault({ mode: '503' });
  await sleep(AWAY_MS);
  await backend.setFault({ mode: 'ok' });
  await until('The reply is there', async () => (await replies()).length > 0);
  expect(await titled('Through')).toHaveLength(1);
  expect(rounds()).toHaveLength(2);
  const told = rounds()[1];
  expect(told && envelopes(told)).toMatchObject([{ tool: 'task_create', ok: true }]);
  const { body } = await runtime.get('/metrics');
  expect(body).toContain('mission_control_tool_calls_total{tool="task_create",outcome="found"} 1');
  expect((await runtime.health()).delivery).toMatchObject({ failed: 0, parked: 0 });
  const engineer = (await backend.listAgents()).find(({ slug }) => slug === 'engineer')?._id;
  const rows = (await backend.agentRows()).filter(({ recipientId }) => recipientId === engineer);
  const attempts = runtime.log.flatMap(({ event, notificationId, attempt }) =>
    event === 'delivery.delivered' && rows.some(({ _id }) => _id === notificationId) ? [attempt] : [],
  );
  expect(attempts).toEqual([1, 1]);
}, 150_000);

test('check 10, cap: sixteen rounds, then one without tools, whose text is posted', async () => {
  const { say, rounds, replies } = await world((asked) => ({
    calls: [['task_load', {}]],
    ...(asked.tools.length === 0 && { text: 'I stop here.' }),
  }));
  await say();
  await until('The reply is there', async () => (await replies()).length > 0);
  expect(await replies()).toEqual(['I stop here.']);
  expect(rounds()).toHaveLength(17);
  expect(rounds().filter(({ tools }) => tools.length === 0)).toEqual([rounds()[16]]);
});

test('check 10, cap: forty calls are made, those beyond get limit', async () => {
  const { say, rounds, replies, runtime, relay } = await world((_, before) =>
    before < 3
      ? { calls: Array.from({ length: 15 }, (): [string, object] => ['task_load', { messageLimit: 1 }]) }
      : { text: 'Enough.' },
  );
  // A heartbeat loads tasks as well, with more messages.
  let loads = 0;
  relay.judge(({ name, args }) => {
    if (name === 'loadTaskDetailsForAgentTool' && args['messageLimit'] === 1) loads += 1;
    return 'pass';
  });
  await say();
  await until('The reply is there', async () => (await replies()).length > 0);
  expect(loads).toBe(40);
  const last = rounds()[3];
  expect(last && envelopes(last).map(({ error }) => error?.code ?? 'ok')).toEqual([
    ...Array.from({ length: 10 }, () => 'ok'),
    ...Array.from({ length: 5 }, () => 'limit'),
  ]);
  expect(last?.tools).toEqual([]);
  const { body } = await runtime.get('/metrics');
  expect(body).toContain('mission_control_tool_calls_total{tool="task_load",outcome="limit"} 5');
  expect(await replies()).toEqual(['Enough.']);
});
