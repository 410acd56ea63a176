/** The real OpenClaw gateway as a process of the test's own, with a mock model behind it. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from '../../src/local/free-port.ts';
import { temporaryDirectory } from './runtime.ts';
import { until } from './until.ts';

export interface RealGateway {
  url: string;
  token: string;
  /** Ends it by SIGKILL, with all that it started. */
  kill(): Promise<void>;
  /** Starts it again, on its own state. */
  startAgain(): Promise<void>;
}

export interface RealGatewayOptions {
  agents: readonly string[];
  /** `tools.toolSearch` of its configuration; absent: nothing is said, which hides client tools from the model. */
  toolSearch?: object;
}

/**
 * The command that starts one, or why there is none. It gets OC_PORT, MOCK_PORT, OC_TOKEN, OC_STATE and OC_CONFIG, and
 * runs in the foreground. The mock model makes the call behind `MOCK_TOOL:<name> {json}`, and else echoes.
 */
export function findGatewayCommand(): { command: string } | { missing: string } {
  const command = process.env['REAL_GATEWAY_START'];
  return command === undefined || command === ''
    ? { missing: 'REAL_GATEWAY_START names no command that starts an OpenClaw gateway.' }
    : { command };
}

/** It needs some 20 s until it is ready, and longer on a busy machine. */
const READY_MS = 180_000;

export async function startRealGateway(command: string, options: RealGatewayOptions): Promise<RealGateway> {
  const state = temporaryDirectory();
  const [port, mockPort] = [await freePort(), await freePort()];
  const token = 'real-gateway-token';
  const config = join(state, 'openclaw.json');
  mkdirSync(join(state, 'home'), { recursive: true });
  writeFileSync(config, JSON.stringify(configOf(options, { port, mockPort, state })), { mode: 0o600 });
  const url = `http://127.0.0.1:${port}`;
  let stop = (): Promise<void> => Promise.resolve();
  const start = async (): Promise<void> => {
    const child = spawn(command, {
      // It leads a group of its own: the gateway and the mock model end with it.
      detached: true,
      stdio: 'ignore',
      env: {
        ...process.env,
        OC_PORT: String(port),
        MOCK_PORT: String(mockPort),
        OC_TOKEN: token,
        OC_STATE: state,
        OC_CONFIG: config,
      },
    });
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    stop = async () => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        process.kill(-child.pid, 'SIGKILL');
      }
      await gone;
    };
    await until('The gateway is ready', () => isReady(url), READY_MS);
  };
  onTestFinished(() => stop());
  await start();
  return { url, token, kill: () => stop(), startAgain: start };
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
    async (answer) => answer.ok && (await answer.text()).includes('"ready":true'),
    () => false,
  );

interface Place {
  port: number;
  mockPort: number;
  state: string;
}

const configOf = ({ agents, toolSearch }: RealGatewayOptions, { port, mockPort, state }: Place): object => ({
  gateway: {
    mode: 'local',
    port,
    bind: 'loopback',
    auth: { mode: 'token', token: '${OPENCLAW_GATEWAY_TOKEN}' },
    http: { endpoints: { responses: { enabled: true } } },
  },
  agents: {
    ownership: 'explicit',
    defaults: {
      model: { primary: 'mock/mock-1' },
      skipBootstrap: true,
      heartbeat: { every: '0m' },
      systemAgent: { agentId: agents[0] },
    },
    entries: Object.fromEntries(agents.map((id) => [id, { name: id, workspace: join(state, 'ws', id) }])),
  },
  models: {
    mode: 'merge',
    catalogRefresh: { enabled: false },
    providers: {
      mock: {
        baseUrl: `http://127.0.0.1:${mockPort}/v1`,
        apiKey: 'mock-key',
        api: 'openai-completions',
        models: [
          {
            id: 'mock-1',
            name: 'Mock 1',
            reasoning: false,
            input: ['text', 'image'],
            contextWindow: 200_000,
            maxTokens: 8_192,
            cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
          },
        ],
      },
    },
  },
  ...(toolSearch && { tools: { toolSearch } }),
  cron: { enabled: false },
  logging: { file: join(state, 'gateway.log') },
  update: { checkOnStart: false },
  discovery: { mdns: { mode: 'off' } },
});
