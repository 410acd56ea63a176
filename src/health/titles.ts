/** What people call a session: its agent and its task, `engineer · Fix the login bug`. And whose a trouble is. */
import type { AnyActorRef } from 'xstate';
import { whoIs } from '../../machines/shared/who.ts';
import { actorName, isSessionActor } from '../../machines/shared/actor-name.ts';
import { childrenOf } from './children.ts';
import { isHeartbeat } from './heartbeats.ts';

/** The agents' slugs by their ids. */
export type AgentNames = ReadonlyMap<string, string>;

interface Read {
  agent: { slug: string } | null;
  task: { title: string } | null;
  deliverySessionKey?: string;
}

/** The fields that are read of a machine's context: the delivery context, or the agent of a beat. */
interface Told {
  delivery?: Read | null;
  /** Of a beat, or of a trouble. */
  input?: { agent?: { systemSessionKey: string }; who?: string };
  agent?: { _id: string; slug: string };
}

function contextOf(actor: AnyActorRef): Told {
  const snapshot: unknown = actor.getSnapshot();
  if (typeof snapshot !== 'object' || snapshot === null || !('context' in snapshot)) return {};
  // An allow-list of two fields, of machines whose contexts are all different.
  return snapshot.context as Told;
}

/** The agents that have a heartbeat of their own, which are all of the account. */
export const agentNames = (root: AnyActorRef): AgentNames =>
  new Map(
    Object.values(childrenOf(root))
      .filter(isHeartbeat)
      .flatMap((heartbeat) => {
        const { agent } = contextOf(heartbeat);
        return agent === undefined ? [] : [[agent._id, agent.slug] as const];
      }),
  );

/**
 * @returns of a session its agent and task, of a trouble whose it is; null for any other actor, and while only the id
 *   of the session's agent is known
 */
export function titleOf(actor: AnyActorRef, agents: AgentNames): string | null {
  if (actorName(actor).startsWith('trouble:'))
    return `trouble of ${contextOf(actor).input?.who ?? 'somebody'}`;
  const [, agentId = '', task = ''] =
    /^(?:notification|beat|rest):([^/]+)\/(.+)$/.exec(actorName(actor)) ?? [];
  if (agentId === '') return null;
  const { delivery = null } = contextOf(actor);
  const agent = delivery?.agent?.slug ?? agents.get(agentId);
  if (agent === undefined) return null;
  const what = delivery?.task?.title ?? (task === 'system' ? 'own session' : `task …${task.slice(-6)}`);
  return whoIs(agent, what).title;
}

/** The key at Convex of the session that a notification or a beat works on; null where it is not known. */
export function sessionKeyOf(actor: AnyActorRef): string | null {
  if (!isSessionActor(actor)) return null;
  const { delivery, input } = contextOf(actor);
  return delivery?.deliverySessionKey ?? input?.agent?.systemSessionKey ?? null;
}

/** Whether the title says the task's own title, which is known once the context was read. */
export const isWhole = (title: string): boolean => !/ · task …\w{1,6}$/.test(title);
