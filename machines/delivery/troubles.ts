/** The actions for failures (scopes.ts says whose trouble each is), and for runs that the gateway is silent about. */
import { assign, enqueueActions, sendTo } from 'xstate';
import type { Evidence } from '../shared/evidence.ts';
import { stallSource } from '../shared/listening.ts';
import type { News } from '../shared/child-messages.ts';
import type { TroubleOutput } from '../trouble/machine.ts';
import type { ChildOutput, DeliveryEvent, DispatchContext } from './context.ts';
import { condition, withoutKeys } from './parts.ts';
import { actorIds } from './queue.ts';
import { withOutOfTokens } from './out-of-tokens.ts';
import {
  agentScope,
  awayScope,
  concerns,
  describeTrouble,
  ENOUGH,
  explainedBy,
  forgottenAfterMs,
  functionsIn,
  isOfFunction,
  ofRuns,
  scopeKind,
  scopesOfCall,
  scopesOfHead,
  scopesOfRun,
  sessionScope,
  waitScope,
  type ScopeKind,
  type Troubles,
} from './scopes.ts';

type Failed = News<'function.failed' | 'function.away' | 'run.failed' | 'run.limited' | 'session.troubled'>;
type TroubleFound = Extract<DeliveryEvent, { type: 'trouble.found' }>;

const actorOf = (scope: string): string => `trouble:${scope}`;

/** The scopes of sessions and agents that the queue has nothing of. */
const withoutWork = ({ queue, troubles }: DispatchContext): string[] =>
  Object.keys(troubles).filter(
    (scope) => !isOfFunction(scope) && !queue.sessions.some(({ key }) => concerns(scope, key)),
  );

function scopesOf(failed: Failed, troubles: Troubles): string[] {
  const { session } = failed;
  if (failed.type === 'session.troubled') return [sessionScope(session)];
  // Convex is no notification's trouble.
  if (failed.type === 'function.away') return [awayScope(failed.name)];
  if (failed.type === 'run.limited') return [waitScope(session)];
  return failed.type === 'function.failed'
    ? scopesOfCall(session, failed.name, troubles)
    : scopesOfRun(session, troubles);
}

const enoughOf = (failed: Failed, kind: ScopeKind) => {
  if (failed.type === 'function.away') return ENOUGH[failed.asksForWait ? 'certain' : 'away'];
  return ENOUGH[failed.type === 'session.troubled' ? 'certain' : kind];
};

const functionsNews = (troubles: Troubles) =>
  ({
    type: 'functions.troubled',
    names: functionsIn(troubles, 'function'),
    away: functionsIn(troubles, 'away'),
  }) as const;

const inWords = (ms: number): string => (ms < 60_000 ? `${ms / 1_000} s` : `${Math.round(ms / 60_000)} min`);

/** The `done` event of a trouble, which XState types loosely. */
export const troubleOf = ({ event }: { event: unknown }): { output: TroubleOutput } =>
  event as { output: TroubleOutput };

export const withTroubles = withOutOfTokens.extend({
  guards: {
    isTrouble: (_, { output }: { output: { kind: string } }) => output.kind === 'trouble',
    isExcused: (_, params: { excused: boolean }) => params.excused,
    gatewayInDoubt: ({ context }) => context.gatewayInDoubt,
  },
  actions: {
    /** A failure counts for every scope whose trouble it may be. */
    noteFailure: enqueueActions(({ enqueue: then, context, self }, failed: Failed) => {
      const { troubles, sources } = context;
      const { now } = sources;
      const { session, who, reason } = failed;
      const scopes = scopesOf(failed, troubles);
      const fresh = scopes.filter((scope) => troubles[scope] === undefined);
      then.assign({
        troubles: { ...troubles, ...Object.fromEntries(fresh.map((scope) => [scope, 'doubtful' as const])) },
      });
      for (const scope of fresh) {
        const id = actorOf(scope);
        const kind = scopeKind(scope);
        const names: Partial<Record<ScopeKind, string>> = {
          agent: who.agent,
          ...('name' in failed && { function: failed.name, away: failed.name }),
        };
        const enough = enoughOf(failed, kind);
        const input = {
          parent: self,
          scope,
          who: names[kind] ?? who.title,
          enough,
          forgottenAfterMs: forgottenAfterMs(scope),
          now,
        };
        then.spawnChild('trouble', { id, systemId: id, input });
      }
      for (const scope of scopes) {
        then.sendTo(actorOf(scope), { type: 'trouble.seen', subject: session, reason });
      }
    }),
    /** Something worked, so the scopes that were in doubt or in trouble are well. */
    notePassed: enqueueActions(({ enqueue: then, context }, { scopes }: { scopes: readonly string[] }) => {
      for (const scope of scopes) {
        if (context.troubles[scope] !== undefined) then.sendTo(actorOf(scope), { type: 'trouble.passed' });
      }
    }),
    noteTrouble: enqueueActions(({ enqueue: then, context }, found: TroubleFound) => {
      const { scope, who, reason, since } = found;
      if (context.troubles[scope] === undefined) return;
      const explained = explainedBy(scope, context.troubles);
      const troubles = { ...withoutKeys(context.troubles, explained), [scope]: 'found' as const };
      then.assign({ troubles });
      for (const other of explained) {
        then.stopChild(actorOf(other));
        if (context.troubles[other] === 'found') then.sendTo(context.parent, condition(other));
      }
      if (isOfFunction(scope)) {
        for (const id of actorIds(context.queue)) then.sendTo(id, functionsNews(troubles));
      }
      const problem = describeTrouble(scope, who, reason);
      then.sendTo(context.parent, { ...condition(scope, problem), since });
    }),
    /** Whoever rested because of it goes on at once. */
    endTrouble: enqueueActions(({ enqueue: then, context }, { output }: { output: TroubleOutput }) => {
      const { scope, wasFound } = output;
      const troubles = withoutKeys(context.troubles, [scope]);
      then.stopChild(actorOf(scope));
      then.assign({ troubles });
      if (!wasFound) return;
      if (isOfFunction(scope)) {
        const isAway = scopeKind(scope) === 'away';
        for (const id of actorIds(context.queue)) {
          then.sendTo(id, functionsNews(troubles));
          then.sendTo(id, { type: isAway ? 'function.available' : 'backend.available' });
        }
      }
      if (scopeKind(scope) === 'agent') {
        for (const { actorId, agentId } of context.queue.sessions) {
          const isOfAgent = scope === agentScope(agentId);
          if (actorId !== null && isOfAgent) then.sendTo(actorId, { type: 'agent.available' });
        }
      }
      then.sendTo(context.parent, condition(scope));
    }),
    /** The gateway is in trouble, which explains the failed runs of agents and notifications. */
    excuseScopes: enqueueActions(({ enqueue: then, context }) => {
      const excused = ofRuns(context.troubles);
      then.assign({ troubles: withoutKeys(context.troubles, excused) });
      for (const scope of excused) {
        then.stopChild(actorOf(scope));
        if (context.troubles[scope] === 'found') then.sendTo(context.parent, condition(scope));
      }
    }),
    /** A child has ended. If it handed its row back, the row may return with the same trouble: the next page tells. */
    endScopes: enqueueActions(({ enqueue: then, context }, { output }: { output: ChildOutput }) => {
      if (output.outcome === 'handedBack') return;
      for (const scope of new Set([...scopesOfHead(output.session), ...withoutWork(context)])) {
        if (context.troubles[scope] !== undefined) then.sendTo(actorOf(scope), { type: 'trouble.passed' });
      }
    }),
    /** After a page: sessions and agents without any row left have no trouble. */
    endIdleScopes: enqueueActions(({ enqueue: then, context }) => {
      for (const scope of withoutWork(context)) then.sendTo(actorOf(scope), { type: 'trouble.passed' });
    }),
    countFailedRun: assign(({ context: { history } }) => ({
      history: { ...history, failedRuns: history.failedRuns + 1 },
    })),
    doubt: assign({ gatewayInDoubt: true }),
    endDoubt: assign({ gatewayInDoubt: false }),
    passOn: sendTo(
      ({ context }) => context.parent,
      (_, evidence: Evidence) => evidence,
    ),
    /** The silent run is a problem of its own on /health, which names agent and task. */
    noteStall: enqueueActions(({ enqueue: then, context }, stalled: News<'run.stalled'>) => {
      const { agent, task, silentMs } = stalled;
      then.sendTo(context.parent, stalled);
      const problem = `The run of ${agent}${task === null ? '' : ` on "${task}"`} is open and the gateway has sent nothing for ${inWords(silentMs)}. It goes on until it answers or OPENCLAW_REQUEST_TIMEOUT_MS is over.`;
      then.sendTo(context.parent, condition(stallSource(stalled.session), problem));
    }),
    noteHeard: sendTo(
      ({ context }) => context.parent,
      (_, { session }: { session: string }) => condition(stallSource(session)),
    ),
  },
});
