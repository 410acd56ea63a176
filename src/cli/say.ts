/** `npm run say -- "<text>"`: posts to a demo task's thread and prints the thread until the reply is there. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createDemoClient, type DemoClient, type Message } from '../local/client.ts';
import { readSession, type DevSession } from '../local/session.ts';
import { findAnswer } from './say/answer.ts';
import { readNames, type Agent } from './say/names.ts';
import { whyWaiting } from './say/waiting.ts';
import { toldIn } from './told.ts';

const USAGE = `npm run say -- "<text>" [--task <title or id>] [--timeout <seconds>]

Posts the text to a task's thread of the stack that npm run dev started, and prints the thread as it grows until the
reply is there. Name an agent to ask it: "@engineer please look at the login bug".

  --task      part of a task's title, or its id; the first demo task without it
  --timeout   how long to wait for the reply, in seconds (60)`;

const LOOK_EVERY_MS = 250;
/** After this time without a reply the command says why none comes, and again when the reason changes. */
const PATIENCE_MS = 3_000;
/** The member that the demo speaks as; convex/ calls it so. */
const DEMO_USER = 'Demo User';

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
  const agents = await client.listAgents();
  const { asked, unknown } = readNames(text, agents, [DEMO_USER]);
  if (unknown.length > 0 && asked.length === 0) return tell(unknown.join('\n'), 1);
  for (const sentence of unknown) note(sentence);
  const show = threadPrinter(await client.listThread(taskId));
  const question = await client.postMessage(taskId, text);
  const ids = asked.map(({ _id }) => _id);
  const start = performance.now();
  let told = '';
  let askAgainAt = start + PATIENCE_MS;
  while (performance.now() < start + timeoutMs) {
    const rows = await client.listNotifications();
    const thread = await client.listThread(taskId);
    show(thread);
    const answer = findAnswer({ question, asked: ids, rows, thread });
    if (answer.kind === 'replied') return 0;
    if (answer.kind === 'silent') return tell('The agent has read it and had nothing to say.', 0);
    if (answer.kind === 'unheard') {
      return tell(`Nobody is notified of it: name an agent, such as @${agents[0]?.slug ?? 'engineer'}.`, 1);
    }
    if (performance.now() >= askAgainAt) {
      const why = await whyWaiting(session.healthUrl, answer.rows, rows, agents);
      if (why !== told) note(why);
      told = why;
      askAgainAt = performance.now() + PATIENCE_MS;
    }
    await delay(LOOK_EVERY_MS);
  }
  return tell(await missing(client, session, { question, asked, agents, timeoutMs }), 1);
}

/** Prints each new message of a thread once, and none of those that were there before. */
function threadPrinter(before: readonly Message[]): (thread: readonly Message[]) => void {
  const shown = new Set(before.map(({ messageId }) => messageId));
  return (thread) => {
    for (const message of thread.filter(({ messageId }) => !shown.has(messageId))) {
      shown.add(message.messageId);
      process.stdout.write(`${format(message)}\n`);
    }
  };
}

const format = ({ createdAt, authorName, authorId, content }: Message): string =>
  `${new Date(createdAt).toISOString().slice(11, 19)} ${authorName ?? authorId}: ${content}`;

interface Asked {
  question: string;
  asked: readonly Agent[];
  agents: readonly Agent[];
  timeoutMs: number;
}

/** What is missing, as far as the runtime knows. */
async function missing(
  client: DemoClient,
  session: DevSession,
  { question, asked, agents, timeoutMs }: Asked,
): Promise<string> {
  const who = asked.map(({ slug }) => `@${slug}`).join(' or ') || 'any agent';
  const rows = await client.listNotifications();
  const ours = rows.filter(({ messageId }) => messageId === question);
  const why = await whyWaiting(session.healthUrl, ours, rows, agents);
  return `No reply of ${who} within ${Math.round(timeoutMs / 1_000)} s. ${why} See ${session.healthUrl}/health.`;
}

const note = (sentence: string): void => void process.stderr.write(`… ${sentence}\n`);

function tell(message: string, exitCode: number): number {
  (exitCode === 0 ? process.stdout : process.stderr).write(`${message}\n`);
  return exitCode;
}

/** @returns one sentence: fetch's own "fetch failed" says neither who was asked nor what to do */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof TypeError) || error.cause === undefined) return toldIn(error) ?? error.message;
  const url = readSession()?.convexUrl;
  return `Mission Control${url === undefined ? '' : ` at ${url}`} does not answer any more: is npm run dev still running?`;
}

process.exitCode = await main().catch((error: unknown) => tell(sentenceOf(error), 1));
