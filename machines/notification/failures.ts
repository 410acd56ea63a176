/** What the words of the notification's chart mean where something fails: whose failure it is, and how long it rests. */
import { assign } from 'xstate';
import { backoff } from '../shared/backoff.ts';
import { isAttempt, isGatewayTrouble, type Failure, type Fault } from '../shared/fault.ts';
import type { DeliveryContext } from '../shared/mission-control.ts';
import type { NotificationContext } from './context.ts';
import { cut, excused, type Entry } from './entry.ts';
import { update, notificationParts, restWith, tell } from './parts.ts';
import { mustAnswer } from './rules.ts';

/** After this many attempts a notification is given up. */
export const MAX_ATTEMPTS = 5;
/** The same where no answer is due: nobody waits for it, and nobody is told. */
const MAX_PASSIVE_ATTEMPTS = 2;
/** No version of a row gets more runs that somebody pays for, whatever the reasons. */
export const MAX_RUNS = 10;
/** After this many runs a row waits longer after each one that failed because of the gateway: its ten runs must outlast the trouble. */
const SPARED_FROM = 6;
/** How long the gateway may lack an agent before its notifications are given up. Its roster may still be on its way. */
const UNKNOWN_AGENT_MS = 120_000;
/**
 * A row that failed more often in a row, and is turned away again, waits its whole backoff: the gateway may take all other
 * runs. A row that was open when the gateway went down need not wait.
 */
const MAX_TURNED_AWAY = 5;
/** When Convex was away at one call this often, the agent is told so, and goes on without the call's answer. */
export const MAX_CALL_FAILURES = 5;

/** How many attempts a notification has. */
export const mostAttempts = (delivery: DeliveryContext | null): number =>
  delivery !== null && !mustAnswer(delivery) ? MAX_PASSIVE_ATTEMPTS : MAX_ATTEMPTS;

/** A row that has few runs left leaves the trials to others, for 1, 2, 4 ... minutes. */
export const spareMs = ({ rest, entry }: Pick<NotificationContext, 'rest' | 'entry'>): number =>
  rest.counted || rest.cause === null || !isAttempt(rest.cause) || entry.runs < SPARED_FROM
    ? 0
    : 60_000 * 2 ** (entry.runs - SPARED_FROM);

const reasonWithWait = ({ message, retryAfterMs }: Fault): string =>
  retryAfterMs > 0 ? `${message} It asks for a wait of ${Math.ceil(retryAfterMs / 1_000)} s.` : message;

/** A row that has no attempt left waits for the probe, which may take 5 s, to tell whose failure the cut was. */
const VERDICT_MS = 6_000;
const verdictMs = ({ rest, entry, delivery }: NotificationContext): number =>
  rest.cause === 'runCut' && rest.counted && hasNoTryLeft(entry, delivery) ? VERDICT_MS : 0;

const hasNoTryLeft = ({ attempts, runs }: Entry, delivery: DeliveryContext | null): boolean =>
  attempts >= mostAttempts(delivery) || runs >= MAX_RUNS;

/** Whether the cut run was of the version in hand: a newer message is not to blame for it. */
const isOwnCut = ({ rest, entry }: NotificationContext): boolean =>
  rest.cause === 'runCut' && entry.runsFor !== null;

/**
 * @param paid whether the gateway had accepted the run
 * @param wentDown whether the gateway went away while it was open
 */
const excusedRun = (
  context: NotificationContext,
  paid: boolean,
  wentDown: boolean,
): Partial<NotificationContext> => ({
  entry: excused(
    paid && wentDown && isOwnCut(context) ? cut(context.entry) : context.entry,
    paid || !context.unpaid,
  ),
  blame: null,
  ...restWith(context, { counted: false }),
});

interface Called {
  name: string;
}

export const withFailures = notificationParts.extend({
  guards: {
    textTooLong: (_, { fault }: Failure) => fault.kind === 'textTooLong',
    limited: (_, { fault }: Failure) => fault.kind === 'runLimited',
    agentUnknown: (_, { fault }: Failure) => fault.kind === 'agentUnknown',
    agentUnknownTooLong: ({ context }, { fault }: Failure) =>
      fault.kind === 'agentUnknown' && context.rest.unknownForMs >= UNKNOWN_AGENT_MS,
    permanent: (_, { fault }: Failure) => fault.kind === 'requestRejected',
    /** The next probe tells whose failure a cut run is, so the row is given up only after it. */
    lastAttempt: ({ context }, { fault }: Failure) =>
      isAttempt(fault.kind) && fault.kind !== 'runCut' && hasNoTryLeft(context.entry, context.delivery),
    gatewayBlamed: ({ context }, { fault }: Failure) =>
      (context.blame === 'gateway' || context.blame === 'down') && isAttempt(fault.kind),
    /** Not this row's trouble: the step waits until Convex, or the journal, is back. */
    journalAway: (_, { fault }: Failure) => fault.kind === 'journalUnavailable',
    /** The function fails for different rows alike: the step waits, and the row counts nothing. */
    functionTroubled: ({ context }, { name }: Called) => context.backend.troubled.includes(name),
    rowFailedTooOften: ({ context }) => context.rest.rowFailures + 1 >= MAX_ATTEMPTS,
    counted: ({ context }) => context.rest.counted,
    waitsForGateway: ({ context: { rest, entry } }) =>
      !rest.counted &&
      rest.cause !== null &&
      (isAttempt(rest.cause) ||
        (isGatewayTrouble(rest.cause) && (entry.cuts > 0 || rest.runFailures <= MAX_TURNED_AWAY))),
    failing: ({ context: { rest } }) => rest.counted && rest.runFailures > 0,
    /** The gateway did not ask for a wait. */
    waitsForAgent: ({ context: { rest } }) => rest.counted && rest.floorMs === 0,
    waitsForBackend: ({ context }) => context.rest.cause === 'backendUnavailable',
    waitsForJournal: ({ context }) => context.rest.cause === 'journalUnavailable',
  },
  actions: {
    /** The attempt was counted as the run began, and it stays. */
    countAttempt: update((context) => ({ blame: null, ...restWith(context, { counted: true }) })),
    excuse: update((context, { paid }: { paid: boolean }) =>
      excusedRun(context, paid, context.blame === 'down'),
    ),
    /** A run that is cut off by our own leaving is nobody's failure. */
    excuseOpenRun: update(({ blame, entry }) =>
      blame === null ? {} : { blame: null, entry: excused(entry, true) },
    ),
    /** The gateway is to blame for the run under way, or for the last one, which was counted. */
    blameGateway: update((context, { ailing }: { ailing: boolean }) => {
      if (context.blame !== null) return { trial: true, blame: ailing ? 'gateway' : 'down' };
      const isLate = context.rest.counted && context.entry.parked === null;
      return { trial: true, ...(isLate && excusedRun(context, true, !ailing)) };
    }),
    keepFault: update((context, { fault }: Failure) => ({
      result: { ...context.result, reason: fault.message },
      backend: { ...context.backend, typing: false },
      ...restWith(context, { floorMs: fault.retryAfterMs, cause: fault.kind }),
    })),
    /** A step worked. The next one has all its tries. */
    forgiveStep: update((context) => restWith(context, { stepFailures: 0, rowFailures: 0 })),
    countRowFailure: update((context) => restWith(context, { rowFailures: context.rest.rowFailures + 1 })),
    countUnknown: update((context) =>
      restWith(context, {
        unknownForMs:
          context.rest.unknownForMs + (context.rest.cause === 'agentUnknown' ? context.rest.inMs : 0),
      }),
    ),
    drawRun: update((context) => {
      const { rest, input } = context;
      const runFailures = rest.runFailures + 1;
      const floorMs = Math.max(rest.floorMs, spareMs(context), verdictMs(context));
      return restWith(context, {
        runFailures,
        inMs: backoff(runFailures, input.runs, input.random(), floorMs),
      });
    }),
    drawStep: update((context) => {
      const { rest, input } = context;
      const stepFailures = rest.stepFailures + 1;
      return restWith(context, {
        stepFailures,
        inMs: backoff(stepFailures, input.backend, input.random(), rest.floorMs),
      });
    }),
    noteTroubled: update(
      (context, { names, away }: { names: readonly string[]; away: readonly string[] }) => ({
        backend: { ...context.backend, troubled: names, away },
        // Only once: a row that fails whatever the function does is given up in the end.
        ...(names.length > context.backend.troubled.length &&
          !context.rest.forgiven &&
          restWith(context, { rowFailures: 0, forgiven: true })),
      }),
    ),
    reportFunctionFailed: tell((from, { fault, name }: Failure & Called) => ({
      type: 'function.failed',
      ...from,
      name,
      reason: fault.message,
    })),
    reportFunctionAway: tell((from, { fault, name }: Failure & Called) => ({
      type: 'function.away',
      ...from,
      name,
      reason: reasonWithWait(fault),
      asksForWait: fault.retryAfterMs > 0,
    })),
    /** A success is news only after a failure. */
    reportFunctionPassed: tell(({ session }, { name }: Called, { input, rest, backend, delivery }) => {
      // A context that came with the list says nothing about the function that reads one.
      if (name === 'getNotificationForDelivery' && input.given !== null && delivery === null) return null;
      const isNews = rest.stepFailures > 0 || [...backend.troubled, ...backend.away].includes(name);
      if (!isNews) return null;
      return { type: 'function.passed', session, name };
    }),
    noteStall: assign({ stalled: true }),
    reportLimited: tell((from, { fault }: Failure) => ({
      type: 'run.limited',
      ...from,
      reason: reasonWithWait(fault),
    })),
    /** Other runs of its agent succeed, and its last run failed: the trouble is its own until it succeeds. */
    reportFailing: tell((from, _, context) => ({
      type: 'session.troubled',
      ...from,
      reason: context.result.reason ?? '',
    })),
    reportUnknown: tell((from, { fault }: Failure) => ({
      type: 'agent.unknown',
      ...from,
      reason: fault.message,
    })),
  },
});
