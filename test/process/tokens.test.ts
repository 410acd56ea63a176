/** Tokens by agent and day, and an agent that has used up its tokens of the day. */
import { expect, test } from 'vitest';
import { startRuntime, temporaryDirectory, type Health, type RuntimeProcess } from '../kits/runtime.ts';
import { echoGateway, missionControl, type MissionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const usedBy = ({ tokens }: Health, agent: string): number => {
  const one = tokens.agents.find((entry) => entry.agent === agent);
  return one === undefined ? 0 : one.input + one.output;
};

const NOTE = 'has used up its tokens for today';

async function contents(backend: MissionControl, taskId: string): Promise<string[]> {
  return (await backend.listThread(taskId)).map(({ content }) => content);
}

test('tokens are on /health by agent and day, and survive a restart', async () => {
  const [backend, gateway, state] = [await missionControl(), await echoGateway(), temporaryDirectory()];
  const env = { STATE_DIR: state };
  const first = await startRuntime({ backend, gateway, env });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer hello');
  const health = await first.waitForHealth('tokens', (one) => usedBy(one, 'engineer') > 0);
  expect(health.tokens.day).toMatch(/^\d{4}-\d\d-\d\d$/);
  first.kill('SIGTERM');
  await first.exited;
  const second = await startRuntime({ backend, gateway, env });
  expect(usedBy(await second.health(), 'engineer')).toBeGreaterThanOrEqual(usedBy(health, 'engineer'));
});

test('an agent without tokens rests, through a restart too; its messages wait, each thread is told once, others go on', async () => {
  const [backend, gateway, state] = [await missionControl(), await echoGateway(), temporaryDirectory()];
  const env = { STATE_DIR: state, AGENT_TOKENS_PER_DAY: 'engineer=1' };
  const [one = '', two = ''] = backend.taskIds;
  const first = await startRuntime({ backend, gateway, env });
  await backend.postMessage(one, '@engineer hello');
  const resting = await first.waitForHealth('that it rests', ({ problems }) =>
    problems.some(({ source }) => source === 'tokens:engineer'),
  );
  expect(resting.tokens.agents.find(({ agent }) => agent === 'engineer')).toMatchObject({
    limit: 1,
    rests: true,
  });
  await backend.postMessage(two, '@engineer and this?');
  await backend.postMessage(two, '@qa and what do you say?');
  await until('The thread is told', async () =>
    (await contents(backend, two)).some((text) => text.includes(NOTE)),
  );
  await until('The other agent answers', async () =>
    (await contents(backend, two)).some((text) => text.startsWith('echo from qa')),
  );
  const story = (await first.get('/why?q=and%20this')).body;
  expect(story).toContain('has used up its tokens of the day');
  first.kill('SIGTERM');
  await first.exited;

  const second = await startRuntime({ backend, gateway, env });
  await second.waitForHealth('that it still rests', ({ problems }) =>
    problems.some(({ source }) => source === 'tokens:engineer'),
  );
  await until('The message is listed again', async () =>
    (await second.get('/why?q=and%20this')).body.includes('has used up its tokens of the day'),
  );
  second.kill('SIGTERM');
  await second.exited;

  await startRuntime({ backend, gateway, env: { ...env, AGENT_TOKENS_PER_DAY: 'engineer=1000000000' } });
  await until('The message is answered', async () =>
    (await contents(backend, two)).some(
      (text) => text.startsWith('echo from engineer') && text.includes('and this'),
    ),
  );
  expect((await contents(backend, two)).filter((text) => text.includes(NOTE))).toHaveLength(1);
});

test('a slug that no agent has is told: a mistyped limit would be none', async () => {
  const [backend, gateway] = [await missionControl(), await echoGateway()];
  const env = { AGENT_TOKENS_PER_DAY: 'engineer=1000000000,enginer=5' };
  const runtime = await startRuntime({ backend, gateway, env });
  const { message } = await runtime.waitForLog('the warning', ({ event }) => event === 'tokens.unknownAgent');
  expect(message).toMatch(/^AGENT_TOKENS_PER_DAY names enginer, and .* The agents are .*engineer/);
});

test('four fifths of a limit are told in the log, once; the whole of it is rest; a raised limit wakes it', async () => {
  const [backend, gateway, state] = [await missionControl(), await echoGateway(), temporaryDirectory()];
  // A heartbeat would use tokens as well.
  await backend.setProfile({ slug: 'engineer', heartbeatInterval: 1_440 });
  const [taskId = ''] = backend.taskIds;
  const answers = async () =>
    (await contents(backend, taskId)).filter((text) => text.startsWith('echo from engineer')).length;
  const ask = async (): Promise<void> => {
    const before = await answers();
    await backend.postMessage(taskId, '@engineer hello');
    await until('It is answered', async () => (await answers()) > before);
  };
  const start = (limit: number) =>
    startRuntime({ backend, gateway, env: { STATE_DIR: state, AGENT_TOKENS_PER_DAY: `engineer=${limit}` } });
  const lows = ({ log }: Pick<RuntimeProcess, 'log'>) => log.filter(({ event }) => event === 'tokens.low');
  const atRest = async (runtime: RuntimeProcess): Promise<string | undefined> =>
    /^mission_control_agents_at_rest (\d+)$/m.exec((await runtime.get('/metrics')).body)?.[1];

  const first = await start(1_000_000_000);
  await ask();
  const used = usedBy(await first.health(), 'engineer');
  first.kill('SIGTERM');
  await first.exited;

  // The next answer takes it from half of the limit to nine tenths or so.
  const limit = Math.round(2.2 * used);
  const second = await start(limit);
  await ask();
  const low = await second.waitForLog('the warning', ({ event }) => event === 'tokens.low');
  expect(low).toMatchObject({ level: 'warn', agent: 'engineer', limit });
  const health = await second.health();
  expect(health.problems).toEqual([]);
  const engineer = health.tokens.agents.find(({ agent }) => agent === 'engineer');
  expect(engineer).toMatchObject({ limit, rests: false });
  expect(usedBy(health, 'engineer')).toBeGreaterThanOrEqual(0.8 * limit);
  expect(await atRest(second)).toBe('0');
  await backend.postMessage(backend.taskIds[1] ?? '', '@qa something else');
  await second.waitForHealth('another agent at work', (one) => usedBy(one, 'qa') > 0);
  expect(lows(second)).toHaveLength(1);

  await ask();
  await second.waitForHealth('that it rests', ({ problems }) => problems.length === 1);
  expect(await atRest(second)).toBe('1');
  const before = await answers();
  await backend.postMessage(taskId, '@engineer and now?');
  second.kill('SIGTERM');
  await second.exited;

  const third = await start(100 * limit);
  await until('What waited is answered', async () => (await answers()) > before);
  expect(await atRest(third)).toBe('0');
  expect((await third.health()).problems).toEqual([]);
  expect(lows(third)).toEqual([]);
});
