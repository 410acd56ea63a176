import type { ActingAgent } from '../../../machines/shared/acting.ts';
import { Refusal } from '../refusal.ts';
import { maySetDone, plainSlug } from './fields.ts';
import type { Gate } from './tool.ts';

const onTask = ({ taskId }: ActingAgent): boolean => taskId !== null;

export const GATES = {
  everyone: { text: 'every agent', allows: () => true },
  onTask: { text: 'runs about a task', allows: onTask },
  movesTask: {
    text: 'runs about a task, with canModifyTaskStatus',
    allows: (agent) => onTask(agent) && agent.flags.canModifyTaskStatus,
  },
  createsTasks: { text: 'agents with canCreateTasks', allows: ({ flags }) => flags.canCreateTasks },
  writesDocuments: {
    text: 'agents with canCreateDocuments',
    allows: ({ flags }) => flags.canCreateDocuments,
  },
  seesDocuments: {
    text: 'runs about a task, and agents with canCreateDocuments',
    allows: (agent) => onTask(agent) || agent.flags.canCreateDocuments,
  },
  asksColleagues: {
    text: 'runs about a task, with canMentionAgents',
    allows: (agent) => onTask(agent) && agent.flags.canMentionAgents,
  },
  orchestrator: { text: 'the orchestrator', allows: ({ isOrchestrator }) => isOrchestrator },
} satisfies Record<string, Gate>;

/** @throws Refusal not_allowed: this run may not set a task to done */
export function requireDoneAllowed(status: string | undefined, agent: ActingAgent): void {
  if (status !== 'done' || maySetDone(agent)) return;
  throw new Refusal(
    'not_allowed',
    agent.inBeat ? 'No task is set to done in a heartbeat.' : 'You may not set a task to done.',
    'Set it to review where it is finished, and leave done to those who approve it.',
  );
}

/** @throws Refusal invalid_arguments: Mission Control takes `blocked` only with a reason */
export function requireReason(status: string | undefined, reason: string | undefined): void {
  if (status !== 'blocked' || (reason ?? '').trim() !== '') return;
  throw new Refusal(
    'invalid_arguments',
    'The status blocked needs a blockedReason.',
    'Say in blockedReason what the task waits for, and call again.',
  );
}

/** @throws Refusal not_allowed */
export function requireOrchestrator(agent: ActingAgent, doing: string): void {
  if (agent.isOrchestrator) return;
  throw new Refusal(
    'not_allowed',
    `Only the orchestrator may ${doing}.`,
    'Ask the orchestrator in your answer, or with response_request.',
  );
}

/**
 * Ids of agents that are named by slug, or by id where an id is expected.
 * @throws Refusal invalid_arguments: names all that nobody has
 */
export function agentIds(names: readonly string[], { known }: ActingAgent): string[] {
  const found = names.map(
    (name) =>
      known.find(({ _id, slug }) => _id === name || slug.toLowerCase() === plainSlug(name))?._id ?? null,
  );
  const unknown = names.filter((_, index) => found[index] === null);
  if (unknown.length > 0) {
    throw new Refusal(
      'invalid_arguments',
      `No agent has the slug ${unknown.slice(0, 10).join(', ')}.`,
      `The agents are ${known
        .slice(0, 25)
        .map(({ slug }) => slug)
        .join(', ')}.`,
    );
  }
  return [...new Set(found.filter((id) => id !== null))];
}
