/**
 * Whose trouble is it? A scope is a function of Convex, an agent, or the notification at the head of a session. Each scope
 * that something failed in has a small machine of its own (machines/trouble), which finds out whether the trouble is the scope's.
 */
import { agentIn } from '../shared/child-messages.ts';

/**
 * A function has two scopes: it rejects calls (`function`), or it takes none (`away`). The notification at a session's
 * head has three: its runs (`session`), its calls to Convex (`calls`), and the waits that the model provider asks for (`wait`).
 */
export type ScopeKind = 'function' | 'away' | 'agent' | 'session' | 'calls' | 'wait';

/** The scopes that something failed in, by name. */
export type Troubles = Readonly<Record<string, 'doubtful' | 'found'>>;

export const awayScope = (name: string): string => `away:${name}`;
export const agentScope = (agentId: string): string => `agent:${agentId}`;
export const sessionScope = (session: string): string => `session:${session}`;
export const callsScope = (session: string): string => `calls:${session}`;
export const waitScope = (session: string): string => `wait:${session}`;

/** The scopes of the notification at the session's head. */
export const scopesOfHead = (session: string): string[] =>
  [sessionScope, callsScope, waitScope].map((scopeOf) => scopeOf(session));

const parse = (scope: string): [ScopeKind, string] => {
  const [, kind = 'function', key = scope] = /^(away|agent|session|calls|wait):(.+)$/.exec(scope) ?? [];
  return [kind as ScopeKind, key];
};

export const scopeKind = (scope: string): ScopeKind => parse(scope)[0];

/** Whether the scope is a function's, of that session, or of its agent. */
export function concerns(scope: string, session: string): boolean {
  const [kind, key] = parse(scope);
  if (kind === 'agent') return key === agentIn(session);
  return isOfFunction(scope) || key === session;
}

export const isOfFunction = (scope: string): boolean => ['function', 'away'].includes(scopeKind(scope));

/** How many failures in a row, of how many different sessions, are no coincidence. What a notification is sure of is told at once. */
export const ENOUGH: Readonly<Record<ScopeKind | 'certain', { failures: number; subjects: number }>> = {
  function: { failures: 3, subjects: 3 },
  away: { failures: 3, subjects: 1 },
  agent: { failures: 3, subjects: 2 },
  session: { failures: 2, subjects: 1 },
  calls: { failures: 2, subjects: 1 },
  wait: { failures: 1, subjects: 1 },
  certain: { failures: 1, subjects: 1 },
};

const failedAlone = (who: string): string =>
  `"${who}" failed. Only this notification waits, and is given up after 5 tries.`;

/** One sentence for an operator. @param who the function's name, the agent's slug, or `engineer · Fix the login bug` */
export const describeTrouble = (scope: string, who: string, reason: string): string =>
  `${SENTENCES[scopeKind(scope)](who)} ${reason}`;

const functionFails = (who: string): string =>
  `Mission Control's function ${who} fails. Notifications that need it wait, and it is tried again until it works.`;

const SENTENCES: Readonly<Record<ScopeKind, (who: string) => string>> = {
  function: functionFails,
  away: functionFails,
  agent: (who) => `The runs of ${who} fail. Only this agent waits: its runs go out one at a time.`,
  session: failedAlone,
  calls: failedAlone,
  wait: (who) => `"${who}" may not run again yet. Only this notification waits.`,
};

const isFound = (troubles: Troubles, scope: string): boolean => troubles[scope] === 'found';

/** Functions of Convex that were found to be in trouble, by name. */
export const functionsIn = (troubles: Troubles, kind: 'function' | 'away'): string[] =>
  Object.keys(troubles).flatMap((scope) => {
    const [of, name] = parse(scope);
    return of === kind && isFound(troubles, scope) ? [name] : [];
  });

/** After how many milliseconds without a new failure a doubt is forgotten. A run may take an hour, and then time out again. */
export const forgottenAfterMs = (scope: string): number => (isOfFunction(scope) ? 600_000 : 2 * 3_600_000);

/** How many runs an agent may have open at once, for the agents that are limited; null when none is. */
export type Limits = ReadonlyMap<string, number> | null;

/** @param outOfTokens agents that may have no run open */
export function limitsOf({
  troubles,
  outOfTokens,
}: {
  troubles: Troubles;
  outOfTokens: Readonly<Record<string, unknown>>;
}): Limits {
  const scopes = Object.keys(troubles).filter(
    (scope) => scopeKind(scope) === 'agent' && isFound(troubles, scope),
  );
  const none = Object.keys(outOfTokens);
  if (scopes.length + none.length === 0) return null;
  return new Map([
    ...scopes.map((scope): [string, number] => [scope.slice('agent:'.length), 1]),
    ...none.map((agent): [string, number] => [agent, 0]),
  ]);
}

/** A failed run counts for its agent, and for its own notification unless the agent is in trouble anyway. */
export const scopesOfRun = (session: string, troubles: Troubles): string[] =>
  isFound(troubles, agentScope(agentIn(session)))
    ? [agentScope(agentIn(session))]
    : [agentScope(agentIn(session)), sessionScope(session)];

/** A failed call counts for the function, and for the notification unless the function is in trouble anyway. */
export const scopesOfCall = (session: string, name: string, troubles: Troubles): string[] =>
  isFound(troubles, name) ? [name] : [name, callsScope(session)];

/** Scopes that a wider trouble explains: an agent's explains its runs, a function's explains calls. */
export const explainedBy = (scope: string, troubles: Troubles): string[] => {
  const [kind, key] = parse(scope);
  const within: Partial<Record<ScopeKind, string>> = {
    agent: sessionScope(`${key}/`),
    function: callsScope(''),
  };
  const start = within[kind];
  return start === undefined ? [] : Object.keys(troubles).filter((other) => other.startsWith(start));
};

/** The scopes that the gateway's own trouble explains: the runs of agents and sessions. */
export const ofRuns = (troubles: Troubles): string[] =>
  Object.keys(troubles).filter((scope) => ['agent', 'session'].includes(scopeKind(scope)));
