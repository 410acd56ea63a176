/** Tokens by agent and day, and an agent that has used up its tokens of the day. */
import { expect, test } from 'vitest';
import { startRuntime, temporaryDirectory, type Health } from '../kits/runtime.ts';
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
