/** Six agents, default waits, and a gateway that decides by the run: the scene of the cases on whose trouble it is. */
import { startRuntime, type RuntimeProcess } from '../kits/runtime.ts';
import { missionControl, type MissionControl } from '../kits/stack.ts';
import { pickyGateway, type Fate, type PickyGateway, type PickyRun } from '../kits/picky-gateway.ts';
import { DEFAULT_WAITS } from './stage.ts';
import { within } from './wait.ts';

export interface Scene {
  backend: MissionControl;
  gateway: PickyGateway;
  runtime: RuntimeProcess;
}

export const OTHERS = ['a1', 'a2', 'a3', 'a4', 'a5'];
export const ORCHESTRATOR = 'squad-lead';

/**
 * A runtime with default waits, six agents, and a gateway that is asked about each run. `lead` and `beat`: what becomes of
 * the orchestrator's runs, and of heartbeats.
 */
export async function setScene(
  fate: (run: PickyRun) => Fate,
  { lead = silent, beat = silent, env = {} }: Asked = {},
): Promise<Scene> {
  const backend = await missionControl();
  for (const slug of OTHERS) {
    await backend.call('demo/actions:addAgent', { slug, name: slug, role: 'Helper' });
  }
  // The orchestrator hears of every reply.
  const gateway = await pickyGateway(['engineer', 'qa', ORCHESTRATOR, ...OTHERS], (run) =>
    isBeat(run) ? beat(run) : run.agent === ORCHESTRATOR ? lead(run) : fate(run),
  );
  const runtime = await startRuntime({ backend, gateway, env: { ...DEFAULT_WAITS, ...env } });
  await runtime.waitForHealth('a gateway', ({ status }) => status === 'healthy');
  return { backend, gateway, runtime };
}

interface Asked {
  lead?: (run: PickyRun) => Fate;
  beat?: (run: PickyRun) => Fate;
  env?: Record<string, string>;
}

const silent = (): Fate => answers('HEARTBEAT_OK', 10);

export const answers = (text: string, afterMs: number): Fate => ({ kind: 'answers', text, afterMs });

/** @returns the new task's id, whose only message is the assignment */
export async function assign({ backend }: Scene, agent: string, title: string): Promise<string> {
  const { taskId } = (await backend.call('demo/actions:createTask', {
    title,
    assignedAgentSlugs: [agent],
  })) as { taskId: string };
  return taskId;
}

export const said = async ({ backend }: Scene, taskId: string): Promise<string[]> =>
  (await backend.listThread(taskId)).map(({ content }) => content);

const hasWords = async (scene: Scene, taskId: string): Promise<boolean> =>
  (await said(scene, taskId)).length > 0;

export const isBeat = ({ prompt }: PickyRun): boolean => prompt.includes('Heartbeat of @');

/** The runs about the task, without those of the orchestrator and of qa, and without heartbeats. */
export const runsOf = ({ gateway }: Scene, title: string): PickyRun[] =>
  gateway.runs.filter(
    (run) => run.prompt.includes(title) && run.agent !== ORCHESTRATOR && run.agent !== 'qa' && !isBeat(run),
  );

export async function allSay(
  scene: Scene,
  taskIds: readonly string[],
  seconds: number,
  what: string,
): Promise<number> {
  return within(seconds, what, async () => {
    for (const taskId of taskIds) if (!(await hasWords(scene, taskId))) return false;
    return true;
  });
}
