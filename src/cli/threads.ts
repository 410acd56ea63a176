/** `npm run threads`: tasks, their threads and their agents, for a day's work without a web page. */
import { parseArgs } from 'node:util';
import { ConvexClient } from 'convex/browser';
import { makeFunctionReference } from 'convex/server';
import * as v from 'valibot';
import { createDemoClient, type DemoClient, type Message } from '../local/client.ts';
import { readSession, type DevSession } from '../local/session.ts';
import { toldIn } from './told.ts';

const USAGE = `npm run threads -- <command>

  (none)                            lists tasks, the last touched first
  show TASK                         prints a task's thread
  follow TASK                       prints it and goes on as it grows, until Ctrl-C
  new TITLE [--assign SLUGS]        creates a task, assigned or in the inbox
  assign TASK SLUGS                 assigns agents
  agents                            lists the agents
  agent SLUG --name NAME --role ROLE   creates an agent

  TASK is part of a title, or an id. SLUGS are separated by commas: engineer,qa.
  --description TEXT   of a new task
  --json               prints JSON, one line a message when following

Write in a thread with: npm run say -- --task TASK "@engineer ..."`;

const Tasks = v.array(
  v.object({
    _id: v.string(),
    title: v.string(),
    status: v.string(),
    assignedAgentIds: v.array(v.string()),
    updatedAt: v.number(),
  }),
);
type Task = v.InferOutput<typeof Tasks>[number];

interface Options {
  assign?: string;
  description?: string;
  name?: string;
  role?: string;
  json: boolean;
}

interface Work {
  session: DevSession;
  client: DemoClient;
  options: Options;
  words: string[];
}

const hasColours = process.stdout.isTTY && !process.env['NO_COLOR'];
const paint = (colour: number, text: string): string =>
  hasColours ? `\u001b[${colour}m${text}\u001b[0m` : text;
const dim = (text: string): string => paint(2, text);

const COMMANDS: Readonly<Record<string, ((work: Work) => Promise<void>) | undefined>> = {
  list: listTasks,
  show: async (work) => {
    const task = await requireTask(work);
    printThread(task, await work.client.listThread(task._id), work.options);
  },
  follow,
  new: createTask,
  assign: async (work) => {
    const task = await requireTask(work);
    const agentSlugs = slugsOf(requireWord(work, 2, 'the slugs of the agents'));
    await work.client.call('demo/actions:assignTask', { taskId: task._id, agentSlugs });
    print(
      work.options,
      { taskId: task._id, agentSlugs },
      `"${task.title}" is assigned to ${agentSlugs.join(', ')}.`,
    );
  },
  agents: async ({ client, options }) => {
    const agents = await client.listAgents();
    const lines = agents.map(({ slug, name }) => `${slug.padEnd(16)} ${name}`);
    print(options, agents, lines.join('\n'));
  },
  agent: createAgent,
};

/** How many words a command takes, itself included; `new` takes all of them as the title. */
const MOST_WORDS: Readonly<Record<string, number>> = {
  list: 1,
  show: 2,
  follow: 2,
  assign: 3,
  agents: 1,
  agent: 2,
};

async function listTasks({ client, options }: Work): Promise<void> {
  const [tasks, agents] = await Promise.all([loadTasks(client), client.listAgents()]);
  const slugs = new Map(agents.map(({ _id, slug }) => [_id, slug]));
  const lines = tasks.map(({ title, status, assignedAgentIds, updatedAt }) => {
    const assigned = assignedAgentIds.map((id) => `@${slugs.get(id) ?? id}`).join(' ');
    return `${dim(timeOf(updatedAt))}  ${paint(36, status.padEnd(11))} ${title}  ${dim(assigned)}`.trimEnd();
  });
  print(options, tasks, lines.join('\n'));
}

async function createTask({ client, options, words }: Work): Promise<void> {
  const title = words.slice(1).join(' ');
  if (title === '') throw new Error('What is the title? Say: npm run threads -- new "Fix the login"');
  const made = await client.call('demo/actions:createTask', {
    title,
    ...(options.description !== undefined && { description: options.description }),
    ...(options.assign !== undefined && { assignedAgentSlugs: slugsOf(options.assign) }),
  });
  const { taskId } = v.parse(v.object({ taskId: v.string() }), made);
  print(options, { taskId }, `Task ${taskId} is there. Follow it: npm run threads -- follow ${taskId}`);
}

async function createAgent(work: Work): Promise<void> {
  const slug = requireWord(work, 1, 'the slug of the new agent');
  const { name = slug, role } = work.options;
  if (role === undefined) throw new Error('Which role? Say: npm run threads -- agent writer --role "Writer"');
  const made = await work.client.call('demo/actions:addAgent', { slug, name, role });
  print(work.options, v.parse(v.object({ agentId: v.string() }), made), `The agent ${slug} is there.`);
}

/** Prints what is new in the thread with each change, until the process is told to end. */
async function follow(work: Work): Promise<void> {
  const task = await requireTask(work);
  const { convexUrl, accountId, personToken } = work.session;
  const live = new ConvexClient(convexUrl, { skipConvexDeploymentUrlCheck: true, logger: false });
  const query = makeFunctionReference<'query', Record<string, string>, Message[]>('demo/live:thread');
  const seen = new Set<string>();
  if (!work.options.json) process.stdout.write(`# ${task.title}\n`);
  await new Promise<void>((resolve, reject) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    live.onUpdate(
      query,
      { accountId, personToken, taskId: task._id },
      (thread) => {
        for (const message of thread.filter(({ messageId }) => !seen.has(messageId))) {
          seen.add(message.messageId);
          print(work.options, message, messageText(message));
        }
      },
      reject,
    );
  });
  await live.close();
}

function printThread({ title }: Task, thread: Message[], options: Options): void {
  print(options, thread, [`# ${title}`, ...thread.map(messageText)].join('\n'));
}

function messageText({ createdAt, authorType, authorName, authorId, content }: Message): string {
  const author = paint(authorType === 'agent' ? 33 : 32, authorName ?? authorId);
  return `${dim(timeOf(createdAt))} ${author}: ${content}`;
}

const timeOf = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ');

function print({ json }: Options, value: unknown, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}

const loadTasks = async (client: DemoClient): Promise<Task[]> =>
  v.parse(Tasks, await client.call('demo/actions:listTasks', { limit: 1000 }));

async function requireTask(work: Work): Promise<Task> {
  const wanted = requireWord(work, 1, 'the task: part of its title, or its id');
  const tasks = await loadTasks(work.client);
  const found = tasks.filter(
    ({ _id, title }) => _id === wanted || title.toLowerCase().includes(wanted.toLowerCase()),
  );
  const [task] = found;
  if (task === undefined) throw new Error(`No task is called "${wanted}". See them: npm run threads`);
  if (found.length > 1) {
    throw new Error(
      `"${wanted}" may be ${found.map(({ title }) => `"${title}"`).join(' or ')}: say more of it.`,
    );
  }
  return task;
}

function requireWord({ words }: Work, at: number, what: string): string {
  const word = words[at];
  if (word === undefined || word === '') throw new Error(`Missing: ${what}.\n\n${USAGE}`);
  return word;
}

const slugsOf = (text: string): string[] =>
  text
    .split(',')
    .map((slug) => slug.trim().replace(/^@/, ''))
    .filter(Boolean);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      assign: { type: 'string' },
      description: { type: 'string' },
      name: { type: 'string' },
      role: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command = 'list'] = positionals;
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (!run) throw new Error(`There is no command "${command}".\n\n${USAGE}`);
  const most = MOST_WORDS[command] ?? Infinity;
  if (positionals.length > most) {
    const extra = positionals.slice(most).join(' ');
    throw new Error(
      `${command} cannot read "${extra}". Put quotes around a title of several words.\n\n${USAGE}`,
    );
  }
  const session = readSession();
  if (session === null) throw new Error('Nothing is running here: start the stack with `npm run dev` first.');
  await run({ session, client: createDemoClient(session), options: values, words: positionals });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${sentenceOf(error)}\n`);
  process.exitCode = 1;
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message.includes('fetch failed')) {
    return 'Mission Control does not answer: start the stack with `npm run dev` first.';
  }
  return toldIn(error) ?? error.message;
}
