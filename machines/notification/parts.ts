/** What the notification's chart is made of: its types, its I/O, its delays, and what it tells delivery. */
import { assign, setup } from 'xstate';
import { childActions, childDelays, childGuards, teller } from '../shared/child.ts';
import type { DeliveryContext } from '../shared/mission-control.ts';
import type { Tag } from '../shared/tags.ts';
import { whoIs, type Who } from '../shared/who.ts';
import { notificationActors, type WriteAhead } from './actors.ts';
import type {
  NotificationContext,
  NotificationEvent,
  NotificationInput,
  NotificationOutput,
  Reread,
  Rest,
} from './context.ts';

/** After the gateway has gone down this often while a run and others were open, the run goes alone. */
export const CUTS_IN_COMPANY = 2;
/** A context that was read longer ago is read again before a run. */
const FRESH_MS = 2_000;

/** A session whose row could not be read yet has only ids. */
export const whoIn = ({ delivery, row }: NotificationContext): Who =>
  whoIs(delivery?.agent?.slug ?? row.recipientId, delivery?.task?.title ?? row.title);

export interface Here {
  context: NotificationContext;
}

/** The input of a step: the entry is on the disk before its effect begins. */
export const writeAhead = ({ context: { row, entry } }: Here): WriteAhead => ({ id: row._id, entry });

/** What a step has read of the row. */
export const rereadParams = ({ event }: { event: { output: DeliveryContext | null } }): Reread => ({
  delivery: event.output,
});

type Change<TParams> = (context: NotificationContext, params: TParams) => Partial<NotificationContext>;

/** An action that changes the context. */
export const update = <TParams extends object | undefined = undefined>(change: Change<TParams>) =>
  assign<NotificationContext, NotificationEvent, TParams, NotificationEvent, never>(({ context }, params) =>
    change(context, params),
  );

/** An action that tells delivery something. */
export const tell = teller<NotificationContext, NotificationEvent>(whoIn);

/** The context's part `rest` with a change. */
export const restWith = ({ rest }: NotificationContext, change: Partial<Rest>) => ({
  rest: { ...rest, ...change },
});

export const notificationParts = setup({
  types: {} as {
    context: NotificationContext;
    input: NotificationInput;
    output: NotificationOutput;
    events: NotificationEvent;
    tags: Tag;
  },
  actors: notificationActors,
  guards: childGuards,
  delays: {
    ...childDelays,
    freshness: FRESH_MS,
    pace: ({ context }) => context.rest.inMs,
    runBackoff: ({ context }) => context.rest.inMs,
  },
  actions: {
    ...childActions<NotificationContext, NotificationEvent>({
      who: whoIn,
      task: ({ delivery }) => delivery?.task?.title ?? null,
      reason: ({ result }) => result.reason,
      alone: ({ entry }) => entry.cuts >= CUTS_IN_COMPANY,
    }),
  },
});
