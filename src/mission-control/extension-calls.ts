import * as v from 'valibot';
import { Fault, faultOf, type FaultKind } from '../../machines/shared/fault.ts';
import type { DeliveryContext } from '../../machines/shared/mission-control.ts';
import type { MissionControl } from '../ports.ts';
import { UnexplainedFault, type ServiceClient } from './client.ts';
import { extensions } from './functions.ts';
import { MAX_PAGE } from './delivery-calls.ts';
import { parseRows, type Malformed } from './parse.ts';
import { configOf } from './runtime-calls.ts';
import { deliveryContext, notificationRow } from './schemas.ts';

const offer = v.object({ functions: v.array(v.string()) });
const page = v.object({
  notifications: v.array(v.unknown()),
  contexts: v.array(v.unknown()),
});
const leased = v.object({ ...page.entries, others: v.number() });
const reported = v.object({ asked: v.boolean(), others: v.optional(v.number()) });

type Plain = Pick<
  MissionControl,
  | 'listUndelivered'
  | 'loadContext'
  | 'updateRuntimeStatus'
  | 'getPendingUpgrade'
  | 'checkAndClearRestartRequested'
>;

type Listed = Awaited<ReturnType<MissionControl['listWithContexts']>>;

type ExtensionCalls = Plain &
  Pick<
    MissionControl,
    'askExtensions' | 'listWithContexts' | 'releaseRows' | 'beginDelivery' | 'completes' | 'completeDelivery'
  >;

interface Wanted extends Record<string, unknown> {
  limit: number;
  contexts: number;
  busy: string[];
}

interface ExtensionOptions {
  /** The contract's own functions. */
  plain: Plain;
  /** The name under which rows are lent to this runtime; when absent, none are. */
  holder: string | undefined;
  /** Told how many other runtimes rows are lent to, whenever the backend says so. */
  onOthers: (others: number) => void;
  report: (rows: Malformed[]) => void;
}

/**
 * What the backend offers, used where it is offered; else the contract's own functions, which do the same in more
 * calls. One that fails without a reason is not called again until the backend has offered it anew.
 */
export function extensionCalls(
  client: ServiceClient,
  { plain, holder, onOthers, report }: ExtensionOptions,
): ExtensionCalls {
  const offered = new Set<string>();
  let underWay: Promise<readonly string[]> | null = null;
  /** The first question is over. */
  let isAsked = false;
  /** The last status report said that nothing is asked of us; it stands for one question of each kind. */
  const nothingAsked = { upgrade: false, restart: false };

  async function either<T>(name: string, call: () => Promise<T>, instead: () => Promise<T>): Promise<T> {
    if (!offered.has(name)) return instead();
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof UnexplainedFault)) throw error;
      offered.delete(name);
      return instead();
    }
  }
  async function question(signal?: AbortSignal): Promise<readonly string[]> {
    const answer = await client.probe(offer, extensions.capabilities, {}, signal);
    offered.clear();
    for (const name of answer?.functions ?? []) offered.add(name);
    return [...offered];
  }
  /** Whoever asks while a question is under way gets its answer. */
  const ask = (signal?: AbortSignal): Promise<readonly string[]> =>
    (underWay ??= question(signal).finally(() => {
      underWay = null;
      isAsked = true;
    }));
  const listPlainly = async (limit: number, signal?: AbortSignal): Promise<Listed> => ({
    rows: await plain.listUndelivered(limit, signal),
    contexts: [],
    others: null,
  });
  async function listWithThem(wanted: Wanted, signal?: AbortSignal): Promise<Listed> {
    const answer = await client.read(page, extensions.listWithContexts, wanted, signal);
    const rows = answer.notifications.flatMap((row) => parsed(notificationRow, row));
    // A row that is none is told of, and looked past, by the plain list.
    if (rows.length < answer.notifications.length) return listPlainly(wanted.limit, signal);
    return { rows, contexts: contextsOf(answer), others: null };
  }
  /** The page grows past rows that are none, as that of the plain list does. */
  async function lease(wanted: Wanted & { holder: string }, signal?: AbortSignal): Promise<Listed> {
    const answer = await client.read(leased, extensions.leaseNotifications, wanted, signal);
    const { rows, malformed } = parseRows(notificationRow, answer.notifications, 'leaseNotifications');
    report(malformed);
    const isFull = answer.notifications.length >= wanted.limit && wanted.limit < MAX_PAGE;
    if (malformed.length > 0 && isFull) {
      return lease({ ...wanted, limit: Math.min(MAX_PAGE, wanted.limit + malformed.length) }, signal);
    }
    onOthers(answer.others);
    return { rows, contexts: contextsOf(answer), others: answer.others };
  }

  return {
    ...plain,
    askExtensions: ask,
    listWithContexts: async ({ limit, contexts, busy }, signal) => {
      // What the first list brings must be lent, too.
      if (!isAsked) await ask(signal).catch(throwIfAway);
      const wanted = { limit, contexts, busy: [...busy] };
      const plainly = () => listPlainly(limit, signal);
      if (holder !== undefined && offered.has('leaseNotifications')) {
        return either('leaseNotifications', () => lease({ ...wanted, holder }, signal), plainly);
      }
      // Without room for a run it is the same, and a query where this is a mutation.
      if (contexts === 0) return plainly();
      return either('listWithContexts', () => listWithThem(wanted, signal), plainly);
    },
    releaseRows: async (keep, signal) => {
      if (holder === undefined) return;
      const args = { holder, keep: [...keep] };
      await either(
        'releaseNotifications',
        () => client.run(extensions.releaseNotifications, args, signal),
        () => Promise.resolve(),
      );
    },
    beginDelivery: (notificationId, signal) =>
      either(
        'beginDelivery',
        async () => ({
          delivery: await client.read(deliveryContext, extensions.beginDelivery, { notificationId }, signal),
          typing: true as boolean,
        }),
        async () => ({ delivery: await plain.loadContext(notificationId, signal), typing: false }),
      ),
    completes: () => offered.has('completeDelivery'),
    completeDelivery: ({ notificationId, version: { messageId, createdAt }, reply }, signal) =>
      either(
        'completeDelivery',
        () => {
          const args = {
            notificationId,
            version: { messageId, createdAt },
            // Half a surrogate pair is no valid JSON for the backend.
            reply: reply && { ...reply, content: reply.content.toWellFormed() },
          };
          return client.read(deliveryContext, extensions.completeDelivery, args, signal);
        },
        () => Promise.reject(new Fault('backendRejected', 'The backend offers no completeDelivery now.')),
      ),
    updateRuntimeStatus: (status, report, signal) =>
      either(
        'reportStatus',
        async () => {
          const named = holder !== undefined && offered.has('leaseNotifications') ? { holder } : {};
          const args = { status, config: configOf(report), ...named };
          const answer = await client.read(reported, extensions.reportStatus, args, signal);
          nothingAsked.upgrade = !answer.asked;
          nothingAsked.restart = !answer.asked;
          if (answer.others !== undefined) onOthers(answer.others);
        },
        () => plain.updateRuntimeStatus(status, report, signal),
      ),
    getPendingUpgrade: (signal) => {
      if (!nothingAsked.upgrade) return plain.getPendingUpgrade(signal);
      nothingAsked.upgrade = false;
      return Promise.resolve(null);
    },
    checkAndClearRestartRequested: (signal) => {
      if (!nothingAsked.restart) return plain.checkAndClearRestartRequested(signal);
      nothingAsked.restart = false;
      return Promise.resolve(false);
    },
  };
}

/** A question that fails for another reason says nothing about the list. */
function throwIfAway(error: unknown): void {
  if (isBackendAway(faultOf(error).kind)) throw error;
}

const isBackendAway = (kind: FaultKind): boolean =>
  kind === 'backendUnavailable' || kind === 'backendRefused' || kind === 'aborted';

const contextsOf = ({ contexts }: v.InferOutput<typeof page>): DeliveryContext[] =>
  contexts.flatMap((one) => parsed(deliveryContext, one)).filter((one) => one !== null);

function parsed<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T[] {
  const result = v.safeParse(schema, value);
  return result.success ? [result.output] : [];
}
