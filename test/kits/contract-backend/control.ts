/** `/__control/<name>`: what people and operators do, and what a test wants to know. No part of the contract. */
import * as v from 'valibot';
import { HttpProblem } from '../../../src/local/mission-control/problem.ts';
import { addAgent } from './agents.ts';
import { FaultRule, type Faults } from './faults.ts';
import { postMessage } from './messages.ts';
import type { Agent, Task } from './rows.ts';
import type { Store } from './store.ts';
import { createTask } from './tasks.ts';

export interface Control {
  store: Store;
  faults: Faults;
  /** Calls by function, and those that the function itself refused. */
  calls: Map<string, { calls: number; failed: number }>;
  /** Cuts all subscribers off. */
  disconnect: () => void;
}

/** @throws HttpProblem for a body that does not fit */
export type Command = (control: Control, body: unknown) => unknown;

function command<Schema extends v.GenericSchema>(
  schema: Schema,
  run: (control: Control, body: v.InferOutput<Schema>) => unknown,
): Command {
  return (control, body) => {
    const parsed = v.safeParse(schema, body);
    if (!parsed.success) throw new HttpProblem(400, 'BadCommand', v.summarize(parsed.issues));
    return run(control, parsed.output);
  };
}

const count = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1);
const texts = v.pipe(v.array(v.string()), v.minLength(1));

export const AgentsCommand = v.strictObject({
  agents: v.array(
    v.strictObject({
      slug: v.string(),
      heartbeatInterval: v.optional(v.number()),
    }),
  ),
});

/** Each task waits in the queues of those that it is assigned to. */
export const TasksCommand = v.strictObject({
  count,
  /** Slugs; none: the tasks stay in the inbox and nobody is told. */
  assignees: v.optional(v.array(v.string()), []),
  /** Each task to one of them, in turn, and not to all. */
  inTurn: v.optional(v.boolean(), false),
});

/** As the demo user; message n goes to task n modulo their number. `{n}` in the content becomes n, from `from` on. */
export const MessagesCommand = v.strictObject({
  taskIds: texts,
  content: v.string(),
  count,
  from: v.optional(v.number(), 0),
});

const nothing = v.optional(v.unknown());

export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    agents: command(AgentsCommand, ({ store }, body) => ({
      agents: body.agents.map((agent) => ({ _id: addAgent(store, agent)._id, slug: agent.slug })),
    })),
    orchestrator: command(v.strictObject({ slug: v.nullable(v.string()) }), ({ store }, { slug }) => {
      store.account.orchestratorAgentId = slug === null ? null : agentOf(store, slug)._id;
      return {};
    }),
    tasks: command(TasksCommand, ({ store }, { count: tasks, assignees, inTurn }) => {
      const agents = assignees.map((slug) => agentOf(store, slug));
      const next = (): Agent[] => agents.slice(store.tasks.size % agents.length).slice(0, 1);
      const create = (): Task => createTask(store, `Task ${store.tasks.size + 1}`, inTurn ? next() : agents);
      return { taskIds: Array.from({ length: tasks }, () => create()._id) };
    }),
    messages: command(MessagesCommand, ({ store }, body) => {
      const tasks = body.taskIds.map((id) => taskOf(store, id));
      const author = { type: 'user', id: 'demo-user', name: 'Demo User' } as const;
      const messageIds = Array.from({ length: body.count }, (_, index) => {
        const task = tasks[index % tasks.length];
        const content = body.content.replaceAll('{n}', String(body.from + index));
        return task && postMessage(store, task, { author, content })._id;
      });
      return { messageIds };
    }),
    faults: command(v.array(FaultRule), ({ faults }, rules) => {
      faults.set(rules);
      return {};
    }),
    disconnect: command(nothing, ({ disconnect }) => {
      disconnect();
      return {};
    }),
    calls: command(nothing, ({ calls }) => Object.fromEntries(calls)),
    queue: command(nothing, ({ store }) => ({ undelivered: store.queue.size, ...store.drain })),
    forget: command(nothing, ({ store, calls }) => {
      calls.clear();
      store.drain = { firstListedAt: null, lastMarkedAt: null };
      return {};
    }),
    dump: command(nothing, ({ store }) => ({
      messages: [...store.messages.values()],
      notifications: [...store.notifications.values()],
      history: store.history && {
        notifications: Object.fromEntries(store.history.notifications),
        messages: Object.fromEntries(store.history.messages),
      },
    })),
  }),
);

function agentOf(store: Store, slug: string): Agent {
  const agent = store.agents.get(slug);
  if (agent === undefined) throw new HttpProblem(404, 'NotFound', `There is no agent ${slug}.`);
  return agent;
}

function taskOf(store: Store, id: string): Task {
  const task = store.tasks.get(id);
  if (task === undefined) throw new HttpProblem(404, 'NotFound', `There is no task ${id}.`);
  return task;
}
