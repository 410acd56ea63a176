/** What delivery's children, the notification and the beat, have in common: what they tell it, guards and delays. */
import { enqueueActions, type EventObject, type ParameterizedObject } from 'xstate';
import type { BackoffLimits } from './backoff.ts';
import { isAttempt, isGatewayTrouble, type Failure } from './fault.ts';
import type { Moment } from './moment.ts';
import type { Parent } from './parent.ts';
import type { ChildNews } from './child-messages.ts';
import type { Spent } from './spending.ts';
import type { Who } from './who.ts';

export interface ChildInput {
  parent: Parent<ChildNews>;
  /** The key of its session. */
  session: string;
  /** Backoff of a single Convex call. */
  backend: BackoffLimits;
  /** When a round has been silent for this long, /health names its run; milliseconds. */
  stallAfterMs: number;
  /** A number in [0, 1). */
  random: () => number;
  /** The present moment, for the journal and for posts. */
  moment: () => Moment;
}

export interface Child {
  input: ChildInput;
  /** The run under way was silent for `stallAfterMs`, and people were told. */
  stalled: boolean;
}

/** Whether a message is in the thread; else how long a try may still arrive, in milliseconds. */
export interface Looked {
  found: boolean;
  mayArriveForMs: number;
}

export const childGuards = {
  found: (_: unknown, { found }: Looked) => found,
  mayArrive: (_: unknown, { mayArriveForMs }: Looked) => mayArriveForMs > 0,
  /** The other side did not say how long to wait. */
  noWaitAsked: ({ context }: { context: Waiting }) => context.rest.floorMs === 0,
  gatewayTrouble: (_: unknown, { fault }: Failure) => isGatewayTrouble(fault.kind),
  /** Convex is away: what waits for it rests. */
  backendAway: (_: unknown, { fault }: Failure) =>
    fault.kind === 'backendUnavailable' || fault.kind === 'backendRefused',
  /** The run began and failed, which is an attempt. */
  attempt: (_: unknown, { fault }: Failure) => isAttempt(fault.kind),
};

/** How often the thread is looked at for a message that may still arrive. */
const LOOK_EVERY_MS = 3_000;

export const childDelays = {
  stallAfter: ({ context }: { context: Child }) => context.input.stallAfterMs,
  stepBackoff: ({ context }: { context: Waiting }) => context.rest.inMs,
  lookAgain: ({ context }: { context: Waiting }) => Math.min(LOOK_EVERY_MS, Math.max(1, context.rest.inMs)),
};

interface Waiting {
  rest: { inMs: number; floorMs: number };
}

/** What a child takes from its context for the news to delivery. */
interface Words<TContext> {
  who: (context: TContext) => Who;
  /** The title of its task; null for none. */
  task: (context: TContext) => string | null;
  /** Why the last call failed. */
  reason: (context: TContext) => string | null;
  /** Its run is to go out while no other is open. */
  alone: (context: TContext) => boolean;
}

/** Whose news it is. */
interface From {
  session: string;
  who: Who;
}

/** @returns a function that makes an action: the action sends delivery what `news` gives, and nothing where that is null */
export const teller =
  <TContext extends Child, TEvent extends EventObject>(who: (context: TContext) => Who) =>
  <TParams extends ParameterizedObject['params'] | undefined = undefined>(
    news: (from: From, params: TParams, context: TContext) => ChildNews | null,
  ) =>
    enqueueActions<TContext, TEvent, TParams, TEvent, never, never, never, never, never>(
      ({ enqueue, context }, params) => {
        const told = news({ session: context.input.session, who: who(context) }, params, context);
        if (told !== null) enqueue.sendTo(context.input.parent, told);
      },
    );

/** The actions that tell delivery something. */
export function childActions<TContext extends Child, TEvent extends EventObject>(words: Words<TContext>) {
  const tell = teller<TContext, TEvent>(words.who);
  return {
    askForSlot: tell((from, _, context) => ({ type: 'slot.wanted', ...from, alone: words.alone(context) })),
    returnSlot: tell(({ session }) => ({ type: 'slot.returned', session })),
    reportRest: tell(({ session }, { before }: { before: 'run' | 'call' | 'read' | 'pace' }, context) => ({
      type: 'child.rested',
      session,
      before,
      reason: words.reason(context),
    })),
    reportStall: tell(({ session, who }, _, context) => ({
      type: 'run.stalled',
      session,
      agent: who.agent,
      task: words.task(context),
      silentMs: context.input.stallAfterMs,
      first: !context.stalled,
    })),
    reportHeard: tell(({ session }) => ({ type: 'run.heard', session })),
    reportRunSucceeded: tell(({ session }) => ({ type: 'run.succeeded', session })),
    reportRunFailed: tell((from, { fault }: Failure) => ({
      type: 'run.failed',
      ...from,
      kind: fault.kind,
      reason: fault.message,
    })),
    reportGateway: tell((_, { fault }: Failure) => ({
      type: 'gateway.suspected',
      kind: fault.kind,
      reason: fault.message,
      retryAfterMs: fault.retryAfterMs,
    })),
    reportSpent: tell((_, { spent }: { spent: Spent | null }) =>
      spent === null ? null : { type: 'tokens.spent', spent },
    ),
  };
}

/** What delivery is told when a round has ended: what it used, and that it succeeded. */
export const roundEnded = [
  {
    type: 'reportSpent',
    params: ({ event }: { event: { output: { spent?: Spent | null } } }) => ({
      spent: event.output.spent ?? null,
    }),
  },
  'reportRunSucceeded',
] as const;
