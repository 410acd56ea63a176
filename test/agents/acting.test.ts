/** What docs/agents.md promises of calls, with the built runtime: checks 2, 3, 5, 8, 9 and 10 of its table. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { expect, onTestFinished, test } from 'vitest';
import { startContractBackend } from '../kits/contract-backend/spawn.ts';
import { startRuntime } from '../kits/runtime.ts';
import { scriptedGateway, type Answer, type Asked } from '../kits/scripted-gateway.ts';
import { missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';
import { resultsIn } from '../../src/gateway/prompt-tools.ts';

const SLUGS = ['engineer', 'squad-lead', 'qa'];

/** The contract's backend, which counts calls. The engineer may create tasks and works on one. */
async function world(answer: (asked: Asked, before: number) => Answer | Promise<Answer>) {
  const backend = await startContractBackend();
  onTestFinished(() => backend.close());
  await backend.addAgents([
    { slug: 'engineer', behaviorFlags: { canCreateTasks: true } },
    { slug: 'squad-lead' },
  ]);
  const [taskId = ''] = await backend.createTasks({ assignees: ['engineer'] });
  // The assignment is answered at once; what the tests say comes after it.
  const gateway = await scriptedGateway(SLUGS, (asked) =>
    asked.input.includes('(assignment)')
      ? { text: 'I take it.' }
      : answer(asked, gateway.asked.filter(({ input }) => !input.includes('(assignment)')).length - 1),
  );
  const runtime = await startRuntime({ backend, gateway });
  await until('The assignment is answered', async () => (await backend.countUndelivered()) === 0);
  const rounds = () => gateway.asked.filter(({ input }) => !input.includes('(assignment)'));
  const say = () => backend.post({ taskIds: [taskId], content: '@engineer go on' });
  const replies = async () =>
    (await backend.dump()).messages
      .filter(({ authorType, content }) => authorType === 'agent' && content !== 'I take it.')
      .map(({ content }) => content);
  const made = async (name: string) => (await backend.calls())[name]?.calls ?? 0;
  return { backend, gateway, runtime, taskId, rounds, say, replies, made };
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
  const taskFor = async (slug: string): Promise<string> => {
    const task = { title: `For ${slug}`, assignedAgentSlugs: [slug] };
    return v.parse(v.object({ taskId: v.string() }), await backend.call('demo/actions:createTask', task))
      .taskId;
  };
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
  const { backend, say, rounds, replies } = await world((_, before) =>
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
  await backend.setFaults([{ name: 'createTaskFromAgent', mode: 'slow', delayMs: 400, count: 1 }]);
  await say();
  await until('The reply is there', async () => (await replies()).length > 0);
  const { tasks } = await backend.dump();
  expect(tasks.slice(-2).map(({ title }) => title)).toEqual(['First', 'Third']);
  const followUp = rounds()[1];
  expect(followUp?.input).toMatch(
    /^1\. task_create\n\{[^]*^2\. document_upsert\n\{[^]*^3\. task_create\n\{/m,
  );
  expect(followUp && envelopes(followUp).map(({ ok }) => ok)).toEqual([true, true, true]);
});

test('check 5, forbidden: a call outside the gate gets not_allowed, and the backend has seen no call', async () => {
  const { backend, say, rounds, replies, made, taskId } = await world((_, before) =>
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
  await backend.forgetCalls();
  await say();
  await until('The reply is there', async () => (await replies()).length > 0);
  expect(rounds()[0]?.tools).not.toContain('task_delete');
  const followUp = rounds()[1];
  expect(followUp && envelopes(followUp).map(({ error }) => error?.code)).toEqual([
    'not_allowed',
    'not_allowed',
    'not_found',
  ]);
  expect(await made('deleteTaskFromAgent')).toBe(0);
  expect(await made('updateTaskStatusFromAgent')).toBe(0);
});

test.each(['fail', 'cut'] as const)(
  'check 8, repeated run: what follows the calls is asked again (%s) with the kept results, and nothing is written twice',
  async (trouble) => {
    const { backend, say, rounds, replies, made } = await world((_, before) => {
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
    const statusCalls = await made('updateTaskStatusFromAgent');
    await say();
    await until('The reply is there', async () => (await replies()).length > 0);
    const [, first, again] = rounds();
    expect(first && again && resultsIn(again.input)).toEqual(first && resultsIn(first.input));
    expect(again?.input).toContain('This is sent to you again');
    expect(again?.tools).toEqual(first?.tools);
    expect(rounds()).toHaveLength(3);
    expect(await made('createTaskFromAgent')).toBe(1);
    expect(await made('updateTaskStatusFromAgent')).toBe(statusCalls + 1);
    expect((await backend.dump()).tasks.filter(({ title }) => title === 'Once')).toHaveLength(1);
    expect(await replies()).toEqual(['Done once.']);
  },
);

test('a task_status whose end is unknown does not undo what somebody has changed since', async () => {
  const backend = await missionControl();
  const created = await backend.call('demo/actions:createTask', {
    title: 'Moved meanwhile',
    assignedAgentSlugs: ['engineer'],
  });
  const { taskId } = v.parse(v.object({ taskId: v.string() }), created);
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
  await backend.setFaults([{ name: 'createTaskFromAgent', mode: 'slow', delayMs: 1_500, count: 1 }]);
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
  const { backend, say, rounds, replies, runtime } = await world((_, before) =>
    before === 0 ? { calls: [['task_create', { title: 'Through' }]] } : { text: 'It is made.' },
  );
  // The first try has its effect, and nobody hears of it.
  await backend.setFaults([{ name: 'createTaskFromAgent', mode: 'lost', count: 1 }]);
  await say();
  await until('The call has had its effect', async () =>
    (await backend.dump()).tasks.some(({ title }) => title === 'Through'),
  );
  await backend.setFaults([{ mode: '503' }]);
  await sleep(AWAY_MS);
  await backend.setFaults([]);
  await until('The reply is there', async () => (await replies()).length > 0);
  expect((await backend.dump()).tasks.filter(({ title }) => title === 'Through')).toHaveLength(1);
  expect(rounds()).toHaveLength(2);
  const told = rounds()[1];
  expect(told && envelopes(told)).toMatchObject([{ tool: 'task_create', ok: true }]);
  const { body } = await runtime.get('/metrics');
  expect(body).toContain('mission_control_tool_calls_total{tool="task_create",outcome="found"} 1');
  expect((await runtime.health()).delivery).toMatchObject({ failed: 0, parked: 0 });
  const attempts = runtime.log.flatMap(({ event, attempt }) =>
    event === 'delivery.delivered' ? [attempt] : [],
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
  const { say, rounds, replies, runtime, made } = await world((_, before) =>
    before < 3
      ? { calls: Array.from({ length: 15 }, (): [string, object] => ['task_load', { messageLimit: 1 }]) }
      : { text: 'Enough.' },
  );
  await say();
  await until('The reply is there', async () => (await replies()).length > 0);
  expect(await made('loadTaskDetailsForAgentTool')).toBe(40);
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
