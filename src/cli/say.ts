/** `npm run say -- "<text>"`: posts to a demo task's thread and prints the thread until the reply is there. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { createDemoClient, type DemoClient, type Message } from '../local/client.ts';
import { readSession, type DevSession } from '../local/session.ts';

const USAGE = `npm run say -- "<text>" [--task <title or id>] [--timeout <seconds>]

Posts the text to a task's thread of the stack that npm run dev started, and prints the thread as it grows until the
reply is there. Name an agent to ask it: "@engineer please look at the login bug".

  --task      part of a task's title, or its id; the first demo task without it
  --timeout   how long to wait for the reply, in seconds (60)`;

const LOOK_EVERY_MS = 250;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      task: { type: 'string' },
      timeout: { type: 'string', default: '60' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const text = positionals.join(' ').trim();
  const timeoutMs = Number(values.timeout) * 1_000;
  if (values.help === true) return tell(USAGE, 0);
  if (text === '') return tell(`What should be said? ${USAGE}`, 1);
  if (!(timeoutMs > 0)) return tell('--timeout is not a number of seconds: give one such as 60.', 1);
  const session = readSession();
  if (session === null || !(await isUp(session))) {
    return tell('Nothing is running here: start the stack with `npm run dev` first.', 1);
  }
  const task = findTask(session, values.task);
  if (task === undefined) {
    const titles = session.tasks.map(({ title }) => `"${title}"`).join(', ');
    return tell(`No demo task is called "${values.task}": there are ${titles}.`, 1);
  }
  process.stdout.write(`# ${task.title}\n`);
  return converse(session, task._id, text, timeoutMs);
}

/** A stack that was killed leaves its session file behind. */
const isUp = ({ convexUrl }: DevSession): Promise<boolean> =>
  fetch(`${convexUrl}/version`).then(
    ({ ok }) => ok,
    () => false,
  );

const findTask = ({ tasks }: DevSession, wanted: string | undefined) =>
  tasks.find(
    ({ _id, title }) =>
      wanted === undefined || _id === wanted || title.toLowerCase().includes(wanted.toLowerCase()),
  );

async function converse(
  session: DevSession,
  taskId: string,
  text: string,
  timeoutMs: number,
): Promise<number> {
  const client = createDemoClient(session);
  const asked = await askedAgents(client, text);
  const shown = new Set((await client.listThread(taskId)).map(({ messageId }) => messageId));
  const question = await client.postMessage(taskId, text);
  const giveUpAt = performance.now() + timeoutMs;
  while (performance.now() < giveUpAt) {
    const thread = await client.listThread(taskId);
    for (const message of thread.filter(({ messageId }) => !shown.has(messageId))) {
      shown.add(message.messageId);
      process.stdout.write(`${format(message)}\n`);
    }
    const after = thread.slice(thread.findIndex(({ messageId }) => messageId === question) + 1);
    if (after.some((message) => isReply(message, asked))) return 0;
    await delay(LOOK_EVERY_MS);
  }
  return tell(await missing(session, asked, timeoutMs), 1);
}

interface Asked {
  _id: string;
  slug: string;
}

/** The agents that the text names. If it names none, any agent may answer. */
async function askedAgents(client: DemoClient, text: string): Promise<Asked[]> {
  const agents = await client.listAgents();
  return agents.filter(({ slug }) => text.toLowerCase().includes(`@${slug.toLowerCase()}`));
}

const isReply = (message: Message, asked: readonly Asked[]): boolean =>
  message.authorType === 'agent' && (asked.length === 0 || asked.some(({ _id }) => _id === message.authorId));

const format = ({ createdAt, authorName, authorId, content }: Message): string =>
  `${new Date(createdAt).toISOString().slice(11, 19)} ${authorName ?? authorId}: ${content}`;

const Health = v.object({ status: v.string(), reason: v.string() });

/** What the runtime says is missing. */
async function missing(session: DevSession, asked: readonly Asked[], timeoutMs: number): Promise<string> {
  const who = asked.map(({ slug }) => `@${slug}`).join(' or ') || 'any agent';
  const wait = `No reply of ${who} within ${Math.round(timeoutMs / 1_000)} s`;
  try {
    const answer = await fetch(`${session.healthUrl}/health`);
    const { status, reason } = v.parse(Health, await answer.json());
    return `${wait}: the runtime is ${status} (${reason}). See ${session.healthUrl}/health.`;
  } catch {
    return `${wait}: the runtime does not answer on ${session.healthUrl}. Is npm run dev still running?`;
  }
}

function tell(message: string, exitCode: number): number {
  (exitCode === 0 ? process.stdout : process.stderr).write(`${message}\n`);
  return exitCode;
}

process.exitCode = await main().catch((error: unknown) =>
  tell(error instanceof Error ? error.message : String(error), 1),
);
