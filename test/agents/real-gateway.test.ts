/** Agents that act through the real OpenClaw gateway: checks 4 and 7 of docs/agents.md. */
import { expect, it, test } from 'vitest';
import * as v from 'valibot';
import { findGatewayCommand, startRealGateway, type RealGatewayOptions } from '../kits/real-gateway.ts';
import { startRuntime } from '../kits/runtime.ts';
import { missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const found = findGatewayCommand();
const DIRECTORY = { enabled: true, mode: 'directory' };
/** The gateway is slow to start, and twice in one of the tests. */
const LIMIT_MS = 600_000;
/** A run takes about a second, and more on a busy machine. */
const RUN_MS = 60_000;

/** A first heartbeat comes within two minutes. */
const FIRST_BEAT_MS = 180_000;

const Agents = v.array(v.looseObject({ _id: v.string(), lastHeartbeat: v.optional(v.number()) }));

/** Only the engineer is known to the gateway: what others would say to its words does not disturb. */
async function world(command: string, options: Omit<RealGatewayOptions, 'agents'>) {
  const gateway = await startRealGateway(command, { agents: ['engineer', 'bystander'], ...options });
  const backend = await missionControl();
  const created = await backend.call('demo/actions:createTask', {
    title: 'Act',
    assignedAgentSlugs: ['engineer'],
  });
  const { taskId } = v.parse(v.object({ taskId: v.string() }), created);
  const engineer = (await backend.listAgents()).find(({ slug }) => slug === 'engineer')?._id ?? '';
  const runtime = await startRuntime({ backend, gateway });
  const isAnswered = async () =>
    (await backend.agentRows()).some(
      (row) => row.taskId === taskId && row.type === 'assignment' && row.deliveredAt,
    );
  await until('The assignment is answered', isAnswered, RUN_MS);
  // The mock model would do in a heartbeat what the thread says. The next one comes in a quarter of an hour.
  const hasBeaten = async () =>
    v
      .parse(Agents, await backend.call('service/actions:listAgents', {}))
      .some(({ _id, lastHeartbeat }) => _id === engineer && lastHeartbeat !== undefined);
  await until('The first heartbeat is over', hasBeaten, FIRST_BEAT_MS);
  const statusOf = async () => (await backend.listTasks()).find(({ _id }) => _id === taskId)?.status;
  /** What it says after the person's message. */
  const replies = async () => {
    const thread = await backend.listThread(taskId);
    const asked = thread.findLastIndex(({ authorType }) => authorType === 'user');
    return asked === -1 ? [] : thread.slice(asked).filter(({ authorId }) => authorId === engineer);
  };
  const documents = async () =>
    v.parse(
      v.object({ documents: v.array(v.looseObject({ title: v.string() })) }),
      await backend.call('service/actions:listDocumentsForAgent', { taskId }),
    ).documents;
  return { backend, gateway, runtime, taskId, statusOf, replies, documents };
}

if ('missing' in found) {
  it.skip(`agents act through the real gateway (skipped: ${found.missing})`, () => undefined);
} else {
  const { command } = found;

  test.each([
    ['says nothing of tool search: by tool_call', undefined, 'tool_call {"id":"task_status","args":ARGS}'],
    ['has the directory mode: by name', DIRECTORY, 'task_status ARGS'],
  ])(
    'check 4, foreign gateway: one that %s, and the task moves',
    async (_, toolSearch, call) => {
      const { backend, taskId, statusOf, replies } = await world(command, {
        ...(toolSearch && { toolSearch }),
      });
      const args = '{"status":"blocked","blockedReason":"It waits"}';
      await backend.postMessage(taskId, `@engineer MOCK_TOOL:${call.replace('ARGS', args)}`);
      await until('The task is blocked', async () => (await statusOf()) === 'blocked', RUN_MS);
      const [reply] = await until(
        'The reply is there',
        async () => (await replies()).length > 0 && (await replies()),
        RUN_MS,
      );
      expect(reply?.content).toContain('"tool":"task_status","ok":true');
    },
    LIMIT_MS,
  );

  test(
    'check 7, gateway killed between call and follow-up: the follow-up goes out again, one effect, one reply',
    async () => {
      const { backend, gateway, runtime, taskId, replies, documents } = await world(command, {
        toolSearch: DIRECTORY,
      });
      const path = 'service/actions:createDocumentFromAgent';
      await backend.setFault({ path, mode: 'ok', delayMs: 5_000, count: 1 });
      const call = 'document_upsert {"title":"Plan","content":"First this.","type":"note"}';
      await backend.postMessage(taskId, `@engineer MOCK_TOOL:${call}`);
      await until(
        'The call is under way',
        async () => (await runtime.health()).sessions.shown.some(({ run }) => run?.call != null),
        RUN_MS,
      );
      await gateway.kill();
      expect(await documents()).toEqual([]);
      await until('The document is made', async () => (await documents()).length > 0);
      await gateway.startAgain();
      const [reply] = await until(
        'The reply is there',
        async () => (await replies()).length > 0 && (await replies()),
        RUN_MS,
      );
      expect(reply?.content).toContain('"tool":"document_upsert","ok":true');
      await until('The row is delivered', async () =>
        (await backend.agentRows()).some(({ type, deliveredAt }) => type === 'mention' && deliveredAt),
      );
      expect(await replies()).toHaveLength(1);
      expect(await documents()).toHaveLength(1);
    },
    LIMIT_MS,
  );
}
