/** Kills the runtime right after a tool had its effect, again and again, and counts what is there in the end. */
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buffer } from 'node:stream/consumers';
import * as v from 'valibot';
import { startEchoGateway } from '../../src/local/echo-gateway/spawn.ts';
import { createDemoClient, type DemoClient } from '../../src/local/client.ts';
import { startBackend } from '../../src/local/mission-control/spawn.ts';
import { createRandom, type Random } from '../kits/random.ts';
import { startLife, type LifeOptions, type RunningLife } from './life.ts';

const DIST = join(import.meta.dirname, '../../dist');
const SLUG = 'squad-lead';
/** What a process is waited for: that it makes the call, or that it brings the row to its end. */
const STUCK_MS = 30_000;
const LOOK_EVERY_MS = 10;
/** Of ten kills so many come before the runtime has Convex's answer; the others so long after it. */
const BEFORE_THE_ANSWER = 0.7;
const LATEST_AFTER_MS = 15;

export interface ToolKillsOptions {
  kills: number;
  seed: number;
  /** Gets a line now and then. */
  tell?: (line: string) => void;
}

export interface ToolKillsReport {
  /** By the answer to the call: kept back, or on its way to the runtime as it was killed. */
  kills: { beforeTheAnswer: number; afterIt: number };
  /** For each kind: how many were asked for, and how many of them are there once, not at all, or more than once. */
  made: Record<Kind, { asked: number; once: number; lost: number; twice: number }>;
  /** Notifications with exactly one reply, which tells the id of what was made; and all others. */
  replies: { right: number; wrong: number };
}

const KINDS = ['task', 'document', 'message'] as const;
type Kind = (typeof KINDS)[number];

const TOOLS: Record<Kind, { action: string; call: (name: string, taskId: string) => string }> = {
  task: {
    action: 'createTaskFromAgent',
    call: (name) => `task_create {"title":"${name}"}`,
  },
  document: {
    action: 'createDocumentFromAgent',
    call: (name) => `document_upsert {"title":"${name}","content":"Text","type":"note"}`,
  },
  message: {
    action: 'createTaskMessageForAgentTool',
    call: (name, taskId) => `task_message {"taskId":"${taskId}","content":"${name}"}`,
  },
};

interface Ask {
  kind: Kind;
  /** Title or content of what is to be made. */
  name: string;
}

/** @throws Error when a process does not get on, with its last words */
export async function killBehindEffects({ kills, seed, tell }: ToolKillsOptions): Promise<ToolKillsReport> {
  const random = createRandom(seed);
  const dir = mkdtempSync(join(tmpdir(), 'tool-kills-'));
  const backend = await startBackend({ extensions: false });
  const person = createDemoClient({ ...backend, convexUrl: backend.url });
  const gateway = await startEchoGateway({ agents: [SLUG] });
  const relay = await startRelay(backend.url);
  try {
    cpSync(DIST, join(dir, 'dist'), { recursive: true });
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
    const profile = { slug: SLUG, behaviorFlags: { canCreateTasks: true } };
    await person.call('demo/actions:setProfile', profile);
    const [, own = '', other = ''] = backend.taskIds;
    const lifeOptions = (number: number): LifeOptions => ({
      number,
      entry: join(dir, 'dist/main.js'),
      stateDir: join(dir, 'state'),
      env: {
        CONVEX_URL: relay.url,
        ACCOUNT_ID: backend.accountId,
        SERVICE_TOKEN: backend.serviceToken,
        OPENCLAW_GATEWAY_URL: gateway.url,
        OPENCLAW_GATEWAY_TOKEN: gateway.token,
        HEALTH_PORT: '0',
        LOG_FORMAT: 'json',
        DELIVERY_INTERVAL: '1s',
        DELIVERY_BACKOFF_BASE_MS: '20',
        DELIVERY_BACKOFF_MAX_MS: '200',
      },
    });
    const asks: Ask[] = [];
    const report = { beforeTheAnswer: 0, afterIt: 0 };
    let life = startLife(lifeOptions(1));
    for (let number = 1; number <= kills; number++) {
      const kind = KINDS[number % KINDS.length] ?? 'task';
      const ask = { kind, name: `${kind}-${number}` };
      asks.push(ask);
      const keepsAnswer = random() < BEFORE_THE_ANSWER;
      const effect = relay.next(TOOLS[kind].action, keepsAnswer);
      await person.postMessage(own, `@${SLUG} go\nECHO_TOOL:${TOOLS[kind].call(ask.name, other)}`);
      await settledIn(effect, life, `process ${number} makes ${ask.name}`);
      await kill(life, keepsAnswer, random);
      report[keepsAnswer ? 'beforeTheAnswer' : 'afterIt'] += 1;
      life = startLife(lifeOptions(number + 1));
      await settledIn(isIdle(person), life, `process ${number + 1} ends what ${ask.name} began`);
      if (number % 20 === 0) tell?.(`${number} of ${kills} kills`);
    }
    life.terminate();
    await life.ended;
    return judge(asks, report, await readState(person, own, other));
  } finally {
    await Promise.all([backend.close(), gateway.close(), relay.close()]);
    rmSync(dir, { recursive: true });
  }
}

async function kill(life: RunningLife, keepsAnswer: boolean, random: Random): Promise<void> {
  if (!keepsAnswer) await sleep(random() * LATEST_AFTER_MS);
  life.kill();
  await life.ended;
}

async function settledIn(work: Promise<unknown>, life: RunningLife, what: string): Promise<void> {
  const late = new AbortController();
  const stuck = sleep(STUCK_MS, 'stuck', { signal: late.signal }).catch(() => 'in time');
  const outcome = await Promise.race([work.then(() => 'done'), stuck]);
  late.abort();
  if (outcome === 'done') return;
  life.kill();
  throw new Error(`It does not come true that ${what}: ${(await life.ended).said.slice(-5).join('\n')}`);
}

async function isIdle({ call }: DemoClient): Promise<void> {
  const rows = (): Promise<unknown> => call('service/actions:listUndeliveredNotifications', { limit: 1 });
  while (v.parse(v.array(v.unknown()), await rows()).length > 0) await sleep(LOOK_EVERY_MS);
}

const Rows = v.array(v.object({ _id: v.string(), title: v.string() }));

/** What is there in the end. More than the service lists at once cannot be judged. */
interface State {
  tasks: v.InferOutput<typeof Rows>;
  documents: v.InferOutput<typeof Rows>;
  messages: { _id: string; content: string }[];
}

async function readState(person: DemoClient, own: string, other: string): Promise<State> {
  const documents = await person.call('service/actions:listDocumentsForAgent', { limit: 100 });
  const threads = await Promise.all([person.listThread(own), person.listThread(other)]);
  return {
    tasks: v.parse(Rows, await person.call('demo/actions:listTasks', { limit: 1000 })),
    documents: v.parse(v.object({ documents: Rows }), documents).documents,
    messages: threads.flat().map(({ messageId, content }) => ({ _id: messageId, content })),
  };
}

function judge(asks: readonly Ask[], kills: ToolKillsReport['kills'], state: State): ToolKillsReport {
  const ids: Record<Kind, (name: string) => string[]> = {
    task: (name) => idsOf(state.tasks.filter(({ title }) => title === name)),
    document: (name) => idsOf(state.documents.filter(({ title }) => title === name)),
    message: (name) => idsOf(state.messages.filter(({ content }) => content === name)),
  };
  const made = Object.fromEntries(
    KINDS.map((kind) => {
      const counts = asks.filter((ask) => ask.kind === kind).map(({ name }) => ids[kind](name).length);
      const count = (fits: (many: number) => boolean): number => counts.filter(fits).length;
      const [once, lost, twice] = [count((n) => n === 1), count((n) => n === 0), count((n) => n > 1)];
      return [kind, { asked: counts.length, once, lost, twice }];
    }),
  ) as ToolKillsReport['made'];
  const wrong = asks.filter(({ kind, name }) => {
    const [id = 'nothing'] = ids[kind](name);
    const replies = state.messages.filter(
      ({ content }) => content.startsWith('echo from') && content.includes(id),
    );
    return replies.length !== 1;
  }).length;
  const all = state.messages.filter(({ content }) => content.startsWith('echo from')).length;
  return { kills, made, replies: { right: asks.length - wrong, wrong: wrong + Math.abs(all - asks.length) } };
}

const idsOf = (rows: readonly { _id: string }[]): string[] => rows.map(({ _id }) => _id);

interface Relay {
  url: string;
  /** Settles when the next call of this action has had its effect. @param keepsAnswer its answer goes nowhere */
  next(action: string, keepsAnswer: boolean): Promise<void>;
  close(): Promise<void>;
}

const Call = v.object({ path: v.string() });

/** Stands between the runtime and Mission Control, and knows when an action has had its effect. */
async function startRelay(target: string): Promise<Relay> {
  let watched: { path: string; keepsAnswer: boolean; seen: () => void } | null = null;
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const answer = await fetch(`${target}${request.url ?? '/'}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
      ...(body.length > 0 && { body }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const call = v.safeParse(v.pipe(v.string(), v.parseJson(), Call), body.toString());
    const hit = call.success && watched?.path === call.output.path ? watched : null;
    if (hit !== null) watched = null;
    hit?.seen();
    if (hit?.keepsAnswer === true) return;
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(bytes);
  };
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    next: (action, keepsAnswer) =>
      new Promise((seen) => {
        watched = { path: `service/actions:${action}`, keepsAnswer, seen };
      }),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Whether all that was promised held. */
export const isExactlyOnce = ({ made, replies }: ToolKillsReport): boolean =>
  replies.wrong === 0 && Object.values(made).every(({ lost, twice }) => lost + twice === 0);

/** One figure a line. */
export const toolKillsLines = ({ kills, made, replies }: ToolKillsReport): string[] => [
  `kills before the answer: ${kills.beforeTheAnswer}`,
  `kills after it: ${kills.afterIt}`,
  ...KINDS.flatMap((kind) => [
    `${kind}s asked for: ${made[kind].asked}`,
    `${kind}s there once: ${made[kind].once}`,
    `${kind}s lost: ${made[kind].lost}`,
    `${kind}s there twice: ${made[kind].twice}`,
  ]),
  `notifications with one reply that tells the id: ${replies.right}`,
  `notifications with another number of replies, or another id: ${replies.wrong}`,
];
