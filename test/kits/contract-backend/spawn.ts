import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { AgentsCommand, MessagesCommand, TasksCommand } from './control.ts';
import { Dump, type DumpedState } from './dump.ts';
import type { FaultRule } from './faults.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

export interface ContractBackendOptions {
  /** 0 or absent: any free port. */
  port?: number;
  /** 64 lower-case hex digits; absent: a fresh one. */
  secret?: string;
  /** Decides which calls a fault with a rate befalls. */
  seed?: number;
  /** Keep when each notification changed and was read, for `dump()`. */
  history?: boolean;
  /** Offer what goes beyond the contract (docs/contract-extensions.md); the contract alone when absent. */
  extended?: boolean;
}

const Ready = v.object({ url: v.string(), accountId: v.string(), serviceToken: v.string() });

export interface ContractBackend extends v.InferOutput<typeof Ready> {
  pid: number;
  addAgents(agents: v.InferInput<typeof AgentsCommand>['agents']): Promise<{ _id: string; slug: string }[]>;
  /** Makes this agent the orchestrator: it follows every task from then on. */
  setOrchestrator(slug: string | null): Promise<void>;
  createTasks(options: v.InferInput<typeof TasksCommand>): Promise<string[]>;
  /** @returns the messages' ids */
  post(options: v.InferInput<typeof MessagesCommand>): Promise<string[]>;
  /** In place of the rules before. */
  setFaults(rules: v.InferInput<typeof FaultRule>[]): Promise<void>;
  /** Cuts the subscribers off; they come back by themselves. */
  disconnect(): Promise<void>;
  /** How often each function ran; of `wakeUp`, how often it was run for subscribers. */
  calls(): Promise<Record<string, { calls: number; failed: number }>>;
  /** Rows that agents have not got yet. */
  countUndelivered(): Promise<number>;
  /** The same, with when rows were first listed and last marked, in monotonic milliseconds, since `forgetCalls`. */
  queue(): Promise<v.InferOutput<typeof Queue>>;
  /** Counts calls anew. */
  forgetCalls(): Promise<void>;
  dump(): Promise<DumpedState>;
  /** Ends the process at once and waits for its end. */
  close(): Promise<void>;
}

const Ids = { taskIds: v.object({ taskIds: v.array(v.string()) }), messageIds: v.array(v.string()) };
const Agents = v.object({ agents: v.array(v.object({ _id: v.string(), slug: v.string() })) });
const Queue = v.object({
  undelivered: v.number(),
  firstListedAt: v.nullable(v.number()),
  lastMarkedAt: v.nullable(v.number()),
});
const Calls = v.record(v.string(), v.object({ calls: v.number(), failed: v.number() }));

/**
 * Starts a backend with the service contract, in memory, empty but for its account: a process of its own, which also
 * ends when this one does. Quick: indexes for all that the runtime asks.
 * @throws Error with its own words when it does not come up
 */
export async function startContractBackend(options: ContractBackendOptions = {}): Promise<ContractBackend> {
  const { port = 0, secret, seed = 1, history = false, extended = false } = options;
  const flags = ['--port', String(port), '--seed', String(seed)];
  if (secret !== undefined) flags.push('--secret', secret);
  if (history) flags.push('--history');
  if (extended) flags.push('--extended');
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = once(child, 'close');
  const ready = await readyOf(child, exited);

  const command = async (name: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(
      `${ready.url}/__control/${name}`,
      body === undefined
        ? {}
        : {
            method: 'POST',
            body: JSON.stringify(body),
            headers: { 'content-type': 'application/json' },
          },
    );
    if (!response.ok) throw new Error(`The contract backend refuses ${name}: ${await response.text()}`);
    return response.json();
  };
  const tell = async (name: string, body?: unknown): Promise<void> => {
    await command(name, body);
  };

  return {
    ...ready,
    pid: child.pid ?? 0,
    addAgents: async (agents) => v.parse(Agents, await command('agents', { agents })).agents,
    setOrchestrator: (slug) => tell('orchestrator', { slug }),
    createTasks: async (body) => v.parse(Ids.taskIds, await command('tasks', body)).taskIds,
    post: async (body) =>
      v.parse(v.object({ messageIds: Ids.messageIds }), await command('messages', body)).messageIds,
    setFaults: (rules) => tell('faults', rules),
    disconnect: () => tell('disconnect'),
    calls: async () => v.parse(Calls, await command('calls')),
    countUndelivered: async () => v.parse(Queue, await command('queue')).undelivered,
    queue: async () => v.parse(Queue, await command('queue')),
    forgetCalls: () => tell('forget'),
    dump: async () => v.parse(Dump, await command('dump')),
    close: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function readyOf(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  exited: Promise<unknown>,
): Promise<v.InferOutput<typeof Ready>> {
  const complaints: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
  const firstLine = new Promise<string>((resolve) =>
    createInterface({ input: child.stdout }).once('line', resolve),
  );
  const line = await Promise.race([firstLine, exited.then(() => null)]);
  if (line !== null) return v.parse(v.pipe(v.string(), v.parseJson(), Ready), line);
  throw new Error(`The contract backend did not start: ${complaints.join('').trim() || 'it said nothing.'}`);
}
