import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { FaultMode } from './state.ts';

export interface EchoGatewayOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Default: squad-lead, engineer, qa. */
  agents?: readonly string[];
  /** Default: `local`. */
  token?: string;
  /** Offers `setFault` and `runs`. */
  faults?: boolean;
}

const Report = v.object({
  /** In the order of their requests; times in milliseconds since the epoch, null while the run is open. */
  runs: v.array(
    v.object({
      sessionKey: v.string(),
      agent: v.string(),
      notificationId: v.nullable(v.string()),
      tools: v.array(v.string()),
      startedAt: v.number(),
      endedAt: v.nullable(v.number()),
      outcome: v.nullable(v.picklist(['completed', 'failed', 'aborted', 'reset', 'unavailable'])),
    }),
  ),
  /** The most runs of one session that were open at once. */
  maxOpenPerSession: v.record(v.string(), v.number()),
  maxOpen: v.number(),
});

export type RunsReport = v.InferOutput<typeof Report>;

export interface EchoGateway {
  url: string;
  token: string;
  pid: number;
  setFault(mode: FaultMode, delayMs?: number): Promise<void>;
  runs(): Promise<RunsReport>;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, null after a signal. */
  exited: Promise<number | null>;
  /** Ends the process at once, runs or not, and waits for its end. */
  close(): Promise<void>;
}

const Ready = v.object({ event: v.literal('gateway.ready'), url: v.string() });

/**
 * Starts the echo gateway as a process of its own, on 127.0.0.1; it ends with ours.
 * @throws Error when it ends before it is ready, with what it said
 */
export async function startEchoGateway(options: EchoGatewayOptions = {}): Promise<EchoGateway> {
  const { port = 0, agents = [], token = 'local', faults = false } = options;
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const flags = [
    ...['--port', String(port)],
    ...(agents.length > 0 ? ['--agents', agents.join(',')] : []),
    ...(faults ? ['--faults'] : []),
  ];
  const child = spawn(process.execPath, [main, ...flags], {
    env: { ...process.env, OPENCLAW_GATEWAY_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await readyUrl(child);
  return {
    url,
    token,
    pid: child.pid ?? 0,
    async setFault(mode, delayMs = 0) {
      await askJson(`${url}/__faults`, { method: 'POST', body: JSON.stringify({ mode, delayMs }) });
    },
    runs: async () => v.parse(Report, await askJson(`${url}/__runs`)),
    kill: (signal) => void child.kill(signal),
    exited,
    async close() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function readyUrl(child: ChildProcess): Promise<string> {
  const complaints: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
  const ended = once(child, 'close').then(() => null);
  const first = await Promise.race([firstLine(child), ended]);
  if (first !== null) return v.parse(Ready, JSON.parse(first)).url;
  throw new Error(`The echo gateway did not start: ${complaints.join('').trim() || 'it said nothing.'}`);
}

async function firstLine({ stdout }: ChildProcess): Promise<string | null> {
  if (stdout === null) return null;
  const values: unknown[] = await once(createInterface({ input: stdout }), 'line');
  return String(values[0]);
}

async function askJson(url: string, init?: RequestInit): Promise<unknown> {
  const answer = await fetch(url, init);
  if (!answer.ok)
    throw new Error(
      `The echo gateway answers ${url} with HTTP ${answer.status}: was it started with faults?`,
    );
  return answer.json();
}
