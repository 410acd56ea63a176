import { expect } from 'vitest';
import { holdGateway, type HeldGateway } from './held-gateway.ts';
import { startRuntime, type RuntimeOptions, type RuntimeProcess } from './runtime.ts';
import { echoGateway, missionControl, type MissionControl, type Row } from './stack.ts';
import { until } from './until.ts';

/** A runtime with one run under way, which ends when the gateway lets it go. */
export interface Scene {
  backend: MissionControl;
  gateway: HeldGateway;
  runtime: RuntimeProcess;
  /** Where the engineer was asked. */
  taskId: string;
}

/** What the engineer will have said when the run is over. */
export const REPLY = 'echo from engineer: engineer work on it';

export async function midRun(
  env: Record<string, string> = {},
  through?: RuntimeOptions['through'],
): Promise<Scene> {
  const backend = await missionControl();
  const gateway = await holdGateway(await echoGateway());
  const runtime = await startRuntime({ backend, gateway, env, ...(through && { through }) });
  const taskId = backend.taskIds[0] ?? '';
  await backend.postMessage(taskId, '@engineer work on it');
  await gateway.runHeld();
  return { backend, gateway, runtime, taskId };
}

/** What agents have said in the thread. */
export const replies = async ({ backend, taskId }: Scene): Promise<string[]> =>
  (await backend.listThread(taskId))
    .filter(({ authorType }) => authorType === 'agent')
    .map(({ content }) => content);

/** The row of the run. */
export const theRow = async ({ backend, taskId }: Scene): Promise<Row | undefined> =>
  (await backend.agentRows()).find((row) => row.taskId === taskId && row.type === 'mention');

/** Starts another process with the same STATE_DIR. @returns its log line on the row's end */
export async function startAgain(scene: Scene) {
  const { backend, gateway, runtime } = scene;
  const next = await startRuntime({ backend, gateway, env: { STATE_DIR: runtime.stateDir } });
  const row = await theRow(scene);
  const settled = await next.waitForLog('how the row ended', (line) => line.notificationId === row?._id);
  await until('The row is marked', async () => (await theRow(scene))?.deliveredAt);
  return settled;
}

/** The log's last line says with which code it left, and nothing else was said than log lines. */
export function expectLastWords(runtime: RuntimeProcess, exitCode: number): void {
  expect(runtime.log.at(-1)).toMatchObject({ event: 'runtime.stopped', exitCode });
  expect({ noise: runtime.noise, stderr: runtime.stderr() }).toEqual({ noise: [], stderr: '' });
}

/** Waits until a further signal counts as a second one, not as an echo of the first. */
export const secondSignalCounts = ({ runtime }: Scene): Promise<unknown> =>
  runtime.waitForHealth('that a second signal counts', ({ machines }) =>
    machines.some(({ value }) => JSON.stringify(value) === '{"draining":{"quiescing":"finishing"}}'),
  );
