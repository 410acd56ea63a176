/** The move to another deployment: an export taken into a fresh engine, with a reply on its way. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startRuntime, temporaryDirectory } from '../../../test/kits/runtime.ts';
import { echoGateway, missionControl } from '../../../test/kits/stack.ts';
import { until } from '../../../test/kits/until.ts';

const local = (...args: string[]): void => {
  const main = join(import.meta.dirname, '../../cli/local.ts');
  const { status, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
};

test('a reply that was on its way is delivered at the new place, once, and without a second run', async () => {
  const [oldDir, newDir, stateDir] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()];
  const gateway = await echoGateway();
  const before = await missionControl({ dataDir: oldDir, extensions: true });
  await before.setFault({ path: 'service/actions:createMessageFromAgent', mode: '500' });
  const first = await startRuntime({ backend: before, gateway, env: { STATE_DIR: stateDir } });
  const taskId = before.taskIds[0] ?? '';
  await before.postMessage(taskId, '@engineer hello');
  await until('The run is over', async () =>
    (await gateway.runs()).runs.some(({ outcome }) => outcome === 'completed'),
  );
  await until('The reply rests', async () => JSON.stringify(await first.health()).includes('answering'));
  first.kill('SIGKILL');
  await first.exited;
  const rows = await before.agentRows();
  expect((await before.listThread(taskId)).map(({ authorType }) => authorType)).toEqual(['user']);
  await before.close();

  const file = join(oldDir, 'export.zip');
  local('export', file, '--data', oldDir, '--url', 'http://127.0.0.1:1');
  local('restore', file, '--data', newDir);
  const secret = before.serviceToken.split('_').at(-1) ?? '';
  const after = await missionControl({ dataDir: newDir, secret, extensions: true });
  expect(after).toMatchObject({
    accountId: before.accountId,
    serviceToken: before.serviceToken,
    taskIds: before.taskIds,
  });
  expect((await after.agentRows()).map(({ _id }) => _id)).toEqual(rows.map(({ _id }) => _id));
  await startRuntime({ backend: after, gateway, env: { STATE_DIR: stateDir } });
  await until('It is delivered', async () =>
    (await after.agentRows()).every(({ deliveredAt }) => deliveredAt !== undefined),
  );
  expect((await after.listThread(taskId)).map(({ authorType }) => authorType)).toEqual(['user', 'agent']);
  expect((await gateway.runs()).runs.filter(({ agent }) => agent === 'engineer')).toHaveLength(1);
});
