import { afterEach, describe, expect, test } from 'vitest';
import { faultOf, type Fault } from '../../machines/shared/fault.ts';
import type { MissionControl } from '../ports.ts';
import { createMissionControl } from './mission-control.ts';
import type { Malformed } from './parse.ts';
import { AGENT, CONTEXT, FLAGS, NOTIFICATION, TASK, THREAD_MESSAGE } from '../../test/kits/samples/wire.ts';
import { failure, startWire, success } from '../../test/kits/wire-server.ts';
import type { WireCall } from '../../test/kits/wire-server.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A client whose backend answers with `value`, or with what it makes of the call. */
async function backendWith(value: unknown, respond: (call: WireCall) => unknown = () => value) {
  const wire = await startWire((call) => success(respond(call)));
  const malformed: Malformed[] = [];
  const mc = createMissionControl({
    url: wire.url,
    accountId: 'acc1',
    serviceToken: 'mc_service_acc1_secret',
    maxConcurrent: 2,
    onMalformed: (detail) => malformed.push(detail),
  });
  closing.push(() => Promise.all([mc.close(), wire.close()]));
  return { mc, malformed, calls: wire.calls };
}

const report = {
  dropletId: 'd1',
  ipAddress: '10.0.0.1',
  lastHealthCheck: 5,
  openclawVersion: '1',
  runtimeServiceVersion: '2',
};
const upgrade = {
  status: 'success' as const,
  fromOpenclawVersion: '1',
  toOpenclawVersion: '2',
  fromRuntimeVersion: '3',
  toRuntimeVersion: '4',
};

describe('each call', () => {
  type Row = [string, object, unknown, (mc: MissionControl) => Promise<unknown>];
  const done = { success: true };
  const rows: Row[] = [
    ['markNotificationRead', { notificationId: 'n1' }, done, (mc) => mc.markRead('n1')],
    ['markNotificationDeliveryEnded', { notificationId: 'n1' }, done, (mc) => mc.markDeliveryEnded('n1')],
    ['markNotificationDelivered', { notificationId: 'n1' }, done, (mc) => mc.markDelivered('n1')],
    [
      'updateTaskStatusFromAgent',
      { taskId: 't1', agentId: 'a1', status: 'in_progress', expectedStatus: 'assigned' },
      done,
      (mc) =>
        mc.updateTaskStatus({
          taskId: 't1',
          agentId: 'a1',
          status: 'in_progress',
          expectedStatus: 'assigned',
        }),
    ],
    ['getOrchestratorAgentId', {}, { orchestratorAgentId: null }, (mc) => mc.getOrchestratorAgentId()],
    ['listAssignedTasksForAgent', { agentId: 'a1', limit: 12 }, [], (mc) => mc.listAssignedTasks('a1', 12)],
    [
      'listTasksForOrchestratorHeartbeat',
      { statuses: ['review'], limit: 12 },
      [],
      (mc) => mc.listOrchestratorTasks(['review'], 12),
    ],
    [
      'loadTaskDetailsForAgentTool',
      { agentId: 'a1', taskId: 't1', messageLimit: 8 },
      { task: TASK, thread: [] },
      (mc) => mc.loadThread('a1', 't1', 8),
    ],
    [
      'updateAgentHeartbeat',
      { agentId: 'a1', status: 'online' },
      done,
      (mc) => mc.updateAgentHeartbeat({ agentId: 'a1', status: 'online' }),
    ],
    [
      'updateRuntimeStatus',
      { status: 'online', config: report },
      done,
      // A region that nobody set does not go out.
      (mc) => mc.updateRuntimeStatus('online', Object.assign({ region: undefined }, report)),
    ],
    [
      'checkAndClearRestartRequested',
      {},
      { restartRequested: true },
      (mc) => mc.checkAndClearRestartRequested(),
    ],
    ['getPendingUpgrade', {}, null, (mc) => mc.getPendingUpgrade()],
    ['recordUpgradeResult', upgrade, done, (mc) => mc.recordUpgradeResult(upgrade)],
  ];
  test.each(rows)('%s goes out with its arguments', async (name, args, value, call) => {
    const { mc, calls } = await backendWith(value);
    await call(mc);
    expect(calls.map(({ body }) => body)).toStrictEqual([
      {
        path: `service/actions:${name}`,
        format: 'convex_encoded_json',
        args: [{ ...args, accountId: 'acc1', serviceToken: 'mc_service_acc1_secret' }],
      },
    ]);
  });
});

describe('answers', () => {
  test('become plain rows without the fields that nobody uses', async () => {
    const { mc } = await backendWith([AGENT]);
    expect(await mc.listAgents()).toStrictEqual([
      {
        _id: 'a1',
        name: 'Engineer',
        slug: 'engineer',
        role: 'Developer',
        heartbeatInterval: 15,
        systemSessionKey: 'system:agent:engineer:acc1:v1',
        effectiveBehaviorFlags: FLAGS,
      },
    ]);
  });

  test('the single values', async () => {
    const { mc } = await backendWith(null, ({ body }) =>
      body.path.endsWith('RestartRequested') ? { restartRequested: true } : { orchestratorAgentId: 'a9' },
    );
    expect(await mc.checkAndClearRestartRequested()).toBe(true);
    expect(await mc.getOrchestratorAgentId()).toBe('a9');
  });

  test('a thread', async () => {
    const { mc, malformed } = await backendWith({
      task: TASK,
      thread: [THREAD_MESSAGE, { messageId: 'm2' }],
    });
    expect(await mc.loadThread('a1', 't1', 8)).toStrictEqual([THREAD_MESSAGE]);
    expect(malformed).toEqual([
      { what: 'loadTaskDetailsForAgentTool m2', problem: 'authorType should be "authorType"' },
    ]);
  });

  test('an upgrade of a strategy that nobody knows is still an upgrade', async () => {
    const asked = {
      targetOpenclawVersion: '2',
      targetRuntimeVersion: '3',
      initiatedAt: 4,
      initiatedBy: 'u1',
    };
    const { mc } = await backendWith({ ...asked, strategy: 'lunar' });
    expect(await mc.getPendingUpgrade()).toStrictEqual({ ...asked, strategy: 'immediate' });
  });

  test('one that is not in the contract is rejected by the name of its field', async () => {
    const { mc } = await backendWith({ restartRequested: 'yes' });
    await expect(mc.checkAndClearRestartRequested()).rejects.toMatchObject({
      kind: 'backendRejected',
      message:
        'checkAndClearRestartRequested answered with something that is not in the contract: ' +
        'restartRequested should be boolean.',
    } satisfies Partial<Fault>);
  });
});

describe('the delivery context', () => {
  test('is read whole', async () => {
    const notification = { ...NOTIFICATION, deliveredAt: 7 };
    const { mc } = await backendWith({ ...CONTEXT, notification });
    const context = await mc.loadContext('n1');
    expect(context).toMatchObject({
      notification: { _id: 'n1', type: 'mention', deliveredAt: 7 },
      agent: { slug: 'engineer' },
      task: { status: 'in_progress' },
      thread: [{ authorName: null }],
      taskOverview: { topTasks: [{ tasks: [{ taskId: 't2' }] }] },
      deliverySessionKey: 'task:t1:agent:engineer:acc1:v1',
    });
    expect(context?.primaryUserMention).toStrictEqual({ id: 'u1', name: 'Ann' });
  });

  test('may be null, and so may its nullable parts, also by absence', async () => {
    expect(await (await backendWith(null)).mc.loadContext('n1')).toBeNull();
    // undefined does not survive JSON: these two are absent.
    const absent = { agent: undefined, taskOverview: undefined };
    const { mc } = await backendWith({ ...CONTEXT, ...absent, task: null, message: null });
    const context = await mc.loadContext('n1');
    expect(context).toMatchObject({ agent: null, task: null, message: null, taskOverview: null });
  });

  test('that does not fit is rejected by the path, without a value', async () => {
    const thread = [THREAD_MESSAGE, { ...THREAD_MESSAGE, content: 5, authorId: 'private words' }];
    const { mc } = await backendWith({ ...CONTEXT, thread });
    await expect(mc.loadContext('n1')).rejects.toMatchObject({
      kind: 'backendRejected',
      message:
        'getNotificationForDelivery answered with something that is not in the contract: ' +
        'thread.1.content should be string.',
    } satisfies Partial<Fault>);
  });

  test('takes an author that is no user for a machine', async () => {
    const { mc } = await backendWith({ ...CONTEXT, thread: [{ ...THREAD_MESSAGE, authorType: 'system' }] });
    expect((await mc.loadContext('n1'))?.thread[0]?.authorType).toBe('agent');
  });
});

describe('listUndelivered', () => {
  const good = (id: string) => ({ ...NOTIFICATION, _id: id });
  const bad = (id: string) => ({ ...NOTIFICATION, _id: id, body: ['secret words'] });

  test('leaves a malformed row out and tells of it once, without its content', async () => {
    const { mc, malformed } = await backendWith([good('n1'), bad('n2'), 'no row', good('n3')]);
    for (let poll = 0; poll < 2; poll += 1) {
      expect((await mc.listUndelivered(50)).map((row) => row._id)).toEqual(['n1', 'n3']);
    }
    expect(malformed).toEqual([
      { what: 'listUndeliveredNotifications n2', problem: 'body should be string' },
      { what: 'listUndeliveredNotifications row 3 (no id)', problem: 'the value should be Object' },
    ]);
  });

  test('keeps a row of an unknown type', async () => {
    const { mc, malformed } = await backendWith([{ ...NOTIFICATION, type: 'birthday' }]);
    expect(await mc.listUndelivered(50)).toMatchObject([{ _id: 'n1', type: 'member_added' }]);
    expect(malformed).toEqual([]);
  });

  test('looks behind malformed rows that fill the page', async () => {
    const queue = [
      ...Array.from({ length: 7 }, (_, index) => bad(`b${index}`)),
      good('n1'),
      good('n2'),
      good('n3'),
    ];
    const { mc, malformed, calls } = await backendWith(null, ({ body }) =>
      queue.slice(0, Number(body.args[0]?.limit)),
    );
    expect((await mc.listUndelivered(2)).map((row) => row._id)).toEqual(['n1', 'n2']);
    expect(calls.map(({ body }) => body.args[0]?.limit)).toEqual([2, 4, 8, 16]);
    expect(malformed).toHaveLength(7);
  });

  test('gives up at the largest page', async () => {
    const { mc, calls } = await backendWith(null, ({ body }) =>
      Array.from({ length: Number(body.args[0]?.limit) }, (_, index) => bad(`b${index}`)),
    );
    expect(await mc.listUndelivered(400)).toEqual([]);
    expect(calls.map(({ body }) => body.args[0]?.limit)).toEqual([400, 500]);
  });

  test('rejects what is no list', async () => {
    const { mc } = await backendWith({ rows: [] });
    await expect(mc.listUndelivered(50)).rejects.toMatchObject({ kind: 'backendRejected' });
  });
});

describe('postMessage', () => {
  const message = { taskId: 't1', agentId: 'a1', sourceNotificationId: 'n1' };

  test('sends 100,000 characters and refuses one more before it sends', async () => {
    const { mc, calls } = await backendWith({ messageId: 'm1' });
    await mc.postMessage({ ...message, content: 'x'.repeat(100_000) });
    await expect(mc.postMessage({ ...message, content: 'x'.repeat(100_001) })).rejects.toMatchObject({
      kind: 'textTooLong',
    });
    expect(calls).toHaveLength(1);
  });

  test('mends half a surrogate pair', async () => {
    const { mc, calls } = await backendWith({ messageId: 'm1' });
    await mc.postMessage({ ...message, content: 'cut \ud83d' });
    expect(calls[0]?.body.args[0]?.content).toBe('cut \ufffd');
  });
});

test('a production deployment hides that it refuses the token: that every call fails is told', async () => {
  const answers = { hides: true };
  const wire = await startWire(() =>
    answers.hides ? failure('[Request ID: 7f3a] Server Error') : success([]),
  );
  const mc = createMissionControl({
    url: wire.url,
    accountId: 'acc1',
    serviceToken: 'mc_service_acc1_secret',
    maxConcurrent: 2,
  });
  closing.push(() => Promise.all([mc.close(), wire.close()]));
  const told = async (call: Promise<unknown>): Promise<string> => {
    try {
      await call;
      return 'well';
    } catch (error) {
      const { kind, message } = faultOf(error);
      return `${kind}: ${message}`;
    }
  };
  const hint = /^backendRejected: .* SERVICE_TOKEN or ACCOUNT_ID may be wrong\.$/;
  expect(await told(mc.listAgents())).not.toMatch(hint);
  expect(await told(mc.listAgents())).not.toMatch(hint);
  expect(await told(mc.listUndelivered(1))).toMatch(hint);
  answers.hides = false;
  expect(await told(mc.listAgents())).toBe('well');
  answers.hides = true;
  expect(await told(mc.listUndelivered(1))).not.toMatch(hint);
});
