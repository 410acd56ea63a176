/** What acting adds to the outside, and what it does not: checks 11 and 16 of docs/agents.md. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resultsIn } from '../../src/local/echo-gateway/prompt.ts';
import { startRuntime, temporaryDirectory } from '../kits/runtime.ts';
import { scriptedGateway } from '../kits/scripted-gateway.ts';
import { missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const SLUGS = ['squad-lead', 'engineer', 'qa'];
/** What an agent writes is no secret of ours, but no log line at info repeats it. */
const WRITTEN = 'what-the-agent-wrote-4711';

/** The engineer writes a document and says so; a runtime with profiles and all logging. */
async function world(env: Record<string, string>) {
  const backend = await missionControl();
  const gateway = await scriptedGateway(SLUGS, ({ input, tools }) =>
    resultsIn(input) === null && tools.includes('document_upsert')
      ? { calls: [['document_upsert', { title: 'Plan', content: WRITTEN, type: 'note' }]] }
      : { text: 'HEARTBEAT_OK' },
  );
  const rosterDir = temporaryDirectory();
  const runtime = await startRuntime({
    backend,
    gateway,
    env: { OPENCLAW_ROSTER_FILE: join(rosterDir, 'roster.json'), ...env },
  });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer write it down');
  await until('All rows are delivered', async () => {
    const rows = await backend.agentRows();
    return rows.length > 0 && rows.every(({ deliveredAt }) => deliveredAt !== undefined);
  });
  return { backend, gateway, runtime, rosterDir };
}

/** Every file below a directory, as text. */
function filesIn(dir: string): Map<string, string> {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name));
  return new Map(
    paths.flatMap((path) => (statSync(path).isFile() ? [[path, readFileSync(path, 'latin1')]] : [])),
  );
}

const isLinux = existsSync('/proc/self/net/tcp');

/** How many TCP sockets of the process listen; from /proc. */
function listenersOf(pid: number): number {
  const LISTEN = '0A';
  const inodes = new Set(
    ['tcp', 'tcp6'].flatMap((name) =>
      readFileSync(`/proc/${pid}/net/${name}`, 'utf8')
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .flatMap((fields) => (fields[3] === LISTEN ? [`socket:[${fields[9]}]`] : [])),
    ),
  );
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  return links.filter((link) => inodes.has(link)).length;
}

/** '' for a descriptor that was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

describe('check 11, surface', () => {
  test('no new listener, and no secret in log, /health, metrics, journal or profiles', async () => {
    const { backend, gateway, runtime, rosterDir } = await world({ LOG_LEVEL: 'debug' });
    await until('The call is in the log', () => runtime.log.some(({ event }) => event === 'tool.called'));
    await until('The profiles are there', () => filesIn(rosterDir).size > 1);
    if (isLinux) expect(listenersOf(runtime.pid)).toBe(1);
    const places = new Map([
      ['the log', runtime.stdout() + runtime.stderr()],
      ['/health', (await runtime.get('/health')).body],
      ['/metrics', (await runtime.get('/metrics')).body],
      ...filesIn(runtime.stateDir),
      ...filesIn(rosterDir),
    ]);
    expect(places.size).toBeGreaterThan(5);
    for (const secret of [backend.serviceToken, gateway.token]) {
      const hits = [...places].flatMap(([place, text]) => (text.includes(secret) ? [place] : []));
      expect(hits).toEqual([]);
    }
    // No agent is given a token: nothing of the runtime's is in what the gateway is sent.
    for (const { body } of [...gateway.asked, ...gateway.beats]) {
      expect(body.includes(backend.serviceToken) || body.includes(gateway.token)).toBe(false);
    }
    const atInfo = runtime.log.filter(({ level }) => level !== 'debug');
    expect(JSON.stringify(atInfo)).not.toContain(WRITTEN);
  });
});

describe('check 16, off', () => {
  test('AGENT_TOOLS=off and PROFILE_SYNC=off: no tool, no word of them, no call behind them, no profile', async () => {
    const env = { AGENT_TOOLS: 'off', PROFILE_SYNC: 'off' };
    const { gateway, runtime, rosterDir, backend } = await world(env);
    const rounds = [...gateway.asked, ...gateway.beats];
    expect(rounds.length).toBeGreaterThan(0);
    for (const { body, instructions } of rounds) {
      expect(Object.keys(JSON.parse(body) as object)).toEqual(['model', 'stream', 'instructions', 'input']);
      expect(instructions).not.toMatch(/tool_call|You can act|task_status/);
    }
    const called = await calledFunctions(runtime);
    expect(called).not.toContain('listAgentsForRuntime');
    expect(called.filter((name) => name.endsWith('ForAgentTool'))).toEqual([]);
    expect([...filesIn(rosterDir).keys()]).toEqual([join(rosterDir, 'roster.json')]);
    expect(await backend.call('service/actions:listDocumentsForAgent', {})).not.toMatchObject({
      documents: [{ title: 'Plan' }],
    });
  });
});

/** The functions of Mission Control that the runtime has called, by its own count. */
async function calledFunctions(runtime: { get(path: string): Promise<{ body: string }> }): Promise<string[]> {
  const { body } = await runtime.get('/metrics');
  const series = body.matchAll(
    /^mission_control_backend_calls_total\{function="(\w+)",outcome="\w+"\} ([1-9]\d*)$/gm,
  );
  return [...new Set(Array.from(series, ([, name = '']) => name))];
}
