/** A process that works the queue off: the built runtime, or the ceiling. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EchoGateway } from '../../src/local/echo-gateway/spawn.ts';
import { freePort } from '../../src/local/free-port.ts';
import type { ContractBackend } from '../kits/contract-backend/spawn.ts';

const RUNTIME = join(import.meta.dirname, '../../dist/main.js');
/** Both as `npm start` and the image have them. */
const YOUNG_SPACE = ['--max-semi-space-size=2', '--no-parallel-scavenge'];
const MALLOC = { MALLOC_ARENA_MAX: '1' };
const CEILING = join(import.meta.dirname, 'ceiling/main.ts');

export interface Worker {
  pid: number;
  /** When it was started, by `performance.now()`. */
  startedAt: number;
  /** Of its health server; the ceiling has none. */
  url: string;
  /** Of the runtime's journal. */
  stateDir: string;
  /** Pauses it and lets it go on. What is posted meanwhile becomes its backlog. */
  pause(): void;
  resume(): void;
  /** The last lines that it wrote. */
  lastWords(): string;
  /** Ends it at once and waits for its end. */
  close(): Promise<void>;
}

export interface Sides {
  backend: ContractBackend;
  gateway: EchoGateway;
}

/** What a worker is told of both. */
interface Addresses {
  backend: Pick<ContractBackend, 'url' | 'accountId' | 'serviceToken'>;
  gateway: EchoGateway;
}

/** Benchmarks that are stopped leave no process behind. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts the built runtime. It may not be ready yet. @param env wins over the defaults */
export const spawnRuntime = (sides: Addresses, env: Record<string, string> = {}): Promise<Worker> =>
  spawnWorker([...YOUNG_SPACE, ...(env['NODE_FLAGS']?.split(' ') ?? []), RUNTIME], sides, env);

/** The same calls without machines. @param sessions runs at once */
export const spawnCeiling = (sides: Addresses, sessions: number): Promise<Worker> =>
  spawnWorker([...YOUNG_SPACE, CEILING], sides, { DELIVERY_MAX_CONCURRENT_SESSIONS: String(sessions) });

async function spawnWorker(
  args: readonly string[],
  { backend, gateway }: Addresses,
  env: Record<string, string>,
): Promise<Worker> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  const logPath = join(dir, 'log');
  const log = openSync(logPath, 'w');
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...MALLOC,
      CONVEX_URL: backend.url,
      ACCOUNT_ID: backend.accountId,
      SERVICE_TOKEN: backend.serviceToken,
      OPENCLAW_GATEWAY_URL: gateway.url,
      OPENCLAW_GATEWAY_TOKEN: gateway.token,
      HEALTH_PORT: String(port),
      LOG_FORMAT: 'json',
      STATE_DIR: join(dir, 'state'),
      ...env,
    },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  alive.add(child);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid ?? 0,
    startedAt,
    url: `http://127.0.0.1:${port}`,
    stateDir: join(dir, 'state'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    lastWords: () => readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-3).join('\n'),
    async close() {
      child.kill('SIGKILL');
      await exited;
      alive.delete(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
