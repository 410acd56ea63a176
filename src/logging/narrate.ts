import type { AnyActorRef, AnyEventObject, InspectionEvent } from 'xstate';
import { childOutputOf, type ChildOutput } from '../../machines/delivery/context.ts';
import { actorName } from '../../machines/shared/actor-name.ts';
import { isStall } from '../../machines/shared/listening.ts';
import type { SupervisorEvent } from '../../machines/supervisor/context.ts';
import type { Log } from './log.ts';
import { causeOf } from './same-cause.ts';

/**
 * Writes to the log what the machines do: each transition as one debug line, and each change that matters to an operator
 * as one line. The machines themselves log nothing. This observer reads what arrives at the supervisor and how
 * notifications end.
 *
 * @param limited slugs that AGENT_TOKENS_PER_DAY names
 */
export function createNarrator(
  log: Log,
  isRoot: (actor: unknown) => boolean,
  limited: readonly string[] = [],
): (event: InspectionEvent) => void {
  const tellNews = createNews(log, limited);
  const tellTransition = createTransitions(log);
  return (event) => {
    if (event.type === '@xstate.event') {
      const output = childOutputOf(event.event);
      if (output !== null) tellSettled(log, output);
      else if (isRoot(event.actorRef)) tellNews(event.event);
    }
    if (event.type === '@xstate.snapshot' && log.isDebug) tellTransition(event);
  };
}

function createTransitions(
  log: Log,
): (event: Extract<InspectionEvent, { type: '@xstate.snapshot' }>) => void {
  const last = new WeakMap<object, string>();
  return ({ actorRef, snapshot, event }) => {
    if (!('value' in snapshot)) return;
    const state = JSON.stringify(snapshot.value);
    const before = last.get(actorRef);
    if (state === before) return;
    last.set(actorRef, state);
    const name = actorName(actorRef as AnyActorRef);
    log.debug('machine.transition', `${name} is ${state}`, {
      machine: name,
      from: before ?? null,
      on: event.type,
    });
  };
}

/** The log line for each event. A line names its notification where there is one. */
function createNews(log: Log, limited: readonly string[]): (event: AnyEventObject) => void {
  /** What each child is in trouble for, and at which level its recovery is told. */
  const problems = new Map<string, { problem: string; cause: string; level: 'debug' | 'info' }>();
  let status = '';
  /** Slugs in AGENT_TOKENS_PER_DAY that no agent had at the last sync. */
  let unknown = '';
  const tell: { [T in SupervisorEvent['type']]?: (event: Extract<SupervisorEvent, { type: T }>) => void } = {
    'health.listening': ({ port }) =>
      log.info('health.listening', `Health is served on port ${port}`, { port }),
    'health.failed': ({ reason }) => log.error('health.failed', reason),
    'signal.terminate': ({ signal }) =>
      log.info('runtime.draining', `${signal}: finishing what is under way, then leaving`, { signal }),
    'signal.upgrade': () =>
      log.info('runtime.upgradeForced', 'SIGUSR2: leaving so that an upgrade can start'),
    'process.crashed': ({ reason }) => log.error('process.crashed', reason),
    'gateway.available': () => log.info('gateway.available', 'The gateway answers: delivery is open'),
    'gateway.trial': () => log.info('gateway.trial', 'One trial run may go to the gateway'),
    'condition.changed': ({ source, problem }) => {
      // run.stalled is logged for it, once.
      if (isStall(source)) return;
      const before = problems.get(source);
      // Scopes of delivery have a key: `agent:<id>`, and `session:`, `calls:` and `wait:` with the session's.
      const kind =
        source
          .replace(/^away:/, '')
          .replace(/^(calls|wait):/, 'session:')
          .split(':')[0] ?? source;
      if (problem === null) {
        problems.delete(source);
        if (before !== undefined) log[before.level](`${kind}.recovered`, recovered(source, before.problem));
        return;
      }
      const cause = causeOf(problem);
      if (before?.cause === cause) return;
      const isKnown = [...problems].some(([other, told]) => other !== source && told.cause === cause);
      problems.set(source, { problem, cause, level: isKnown ? 'debug' : 'info' });
      log[isKnown ? 'debug' : 'warn'](`${kind}.degraded`, problem);
    },
    'run.failed': ({ session, who, kind, reason }) =>
      log.warn('run.failed', reason, { title: who.title, session, kind }),
    'gateway.suspected': ({ kind, reason }) => log.warn('gateway.suspected', reason, { kind }),
    'run.stalled': ({ session, agent, task, silentMs, first }) => {
      if (!first) return;
      log.warn(
        'run.stalled',
        `The run of ${agent} is open, and the gateway has sent nothing for ${Math.round(silentMs / 1_000)} s`,
        {
          session,
          task,
        },
      );
    },
    'tokens.low': ({ agent, tokens, limit }) =>
      log.warn(
        'tokens.low',
        `@${agent} has used ${Math.floor((100 * tokens) / limit)} % of its tokens of the day (AGENT_TOKENS_PER_DAY)`,
        { agent, tokens, limit },
      ),
    'agent.unknown': ({ session, who, reason }) =>
      log.warn('agent.unknown', reason, { title: who.title, session }),
    'session.crashed': ({ session, title, reason }) =>
      log.error('session.crashed', `The work on a session crashed and is taken up again later: ${reason}`, {
        title,
        session,
      }),
    'agents.synced': ({ agents, skipped }) => {
      log.debug('agents.synced', `${agents.length} agents`, { slugs: agents.map(({ slug }) => slug) });
      const strangers = limited.filter((slug) => !agents.some((agent) => agent.slug === slug));
      if (strangers.length > 0 && strangers.join() !== unknown) {
        log.warn(
          'tokens.unknownAgent',
          `AGENT_TOKENS_PER_DAY names ${strangers.join(', ')}, and the account has no such agent: correct the slug. The agents are ${agents.map(({ slug }) => slug).join(', ')}.`,
        );
      }
      unknown = strangers.join();
      if (skipped.length > 0) {
        log.warn(
          'agents.skipped',
          `Agents left out because their slug cannot be used: ${skipped.join(', ')}`,
        );
      }
    },
    'status.reported': (report) => {
      if (report.status !== status) log.info('status.reported', `Mission Control knows: ${report.status}`);
      status = report.status;
    },
    'extensions.known': ({ functions }) => {
      if (functions.length === 0)
        log.info(
          'extensions.absent',
          'The backend offers no extensions, so the runtime polls for new notifications',
        );
      else log.info('extensions.known', `The backend also offers: ${functions.join(', ')}`, { functions });
    },
    'queue.watched': () => log.info('wakeUp.connected', 'The backend announces new notifications'),
    'queue.unwatched': () =>
      log.info('wakeUp.lost', 'The wake-up is lost for now, so the runtime polls for new notifications'),
    'queue.unwatchable': ({ reason }) => log.warn('wakeUp.failed', reason),
    'upgrade.resultLost': ({ problem }) => log.warn('upgrade.resultLost', problem),
    'upgrade.noticed': ({ notice }) => log.warn('upgrade.noticed', notice),
    'upgrade.requested': ({ reason }) => log.info('upgrade.requested', `Leaving: ${reason}`),
    'child.restart': ({ id }) => log.warn('child.restarted', `${id} is started again`, { child: id }),
  };
  return (event) => {
    if (event.type.startsWith('xstate.error.actor.')) {
      log.error('child.crashed', `${event.type.slice('xstate.error.actor.'.length)} crashed`, {
        error: (event as { error?: unknown }).error,
      });
      return;
    }
    const teller = tell[event.type as SupervisorEvent['type']] as
      ((event: AnyEventObject) => void) | undefined;
    teller?.(event);
  };
}

/** The name of a scope holds only ids, so the line quotes the problem, which names agent and task. */
const recovered = (source: string, problem: string): string =>
  source.includes(':') ? `This is over: ${problem}` : `${source} is well again`;

const SETTLED: Record<ChildOutput['outcome'], { level: 'debug' | 'info' | 'warn'; message: string }> = {
  delivered: { level: 'info', message: 'The reply is in the thread' },
  silent: { level: 'info', message: 'The agent had nothing to say' },
  skipped: { level: 'info', message: 'A rule says that no run is needed' },
  chatter: {
    level: 'warn',
    message: 'Held because agents only answer each other; it goes on when a person writes in the thread',
  },
  unanswered: { level: 'warn', message: 'The agent gave no reply; the thread says so' },
  parked: { level: 'warn', message: 'Given up; the thread says so' },
  already: { level: 'debug', message: 'It was delivered already' },
  gone: { level: 'warn', message: 'The row is gone or not ours; left as it is' },
  handedBack: { level: 'info', message: 'Handed back; it will be taken up again' },
  stuck: { level: 'warn', message: 'It cannot be read or marked now; it is tried again later' },
  beaten: { level: 'debug', message: 'Heartbeat done' },
  beatFailed: { level: 'warn', message: 'Heartbeat failed' },
};

function tellSettled(log: Log, output: ChildOutput): void {
  const { session, title, outcome, runMs, reason } = output;
  const { level, message } = SETTLED[outcome];
  log[level](`delivery.${outcome}`, message, {
    ...(output.kind === 'notification' && { notificationId: output.id, attempt: output.attempts }),
    title,
    session,
    ...(runMs !== null && { durationMs: runMs }),
    ...(reason !== null && { reason }),
  });
}
