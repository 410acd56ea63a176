import * as v from 'valibot';
import { Fault } from '../../machines/shared/fault.ts';
import { MAX_PAGE, type DeliveryContext } from '../../machines/shared/mission-control.ts';
import type { MissionControl } from '../ports.ts';
import type { ServiceClient } from './client.ts';
import { sendable, type ContractCalls } from './contract-calls.ts';
import { FunctionFault } from './function-fault.ts';
import { extensions } from './functions.ts';
import { deliveryContext, notificationRow } from './schemas.ts';

const offered = v.object({ functions: v.array(v.string()) });
const page = v.object({
  notifications: v.array(v.unknown()),
  contexts: v.array(v.unknown()),
});
const leased = v.object({ ...page.entries, others: v.number() });
const reported = v.object({ asked: v.boolean(), others: v.optional(v.number()) });

type ExtensionCalls = Omit<MissionControl, Exclude<keyof ContractCalls, 'updateRuntimeStatus'>>;
type Page = Awaited<ReturnType<MissionControl['listWithContexts']>>;
type Begun = Awaited<ReturnType<MissionControl['beginDelivery']>>;
type Wanted = { limit: number; contexts: number; busy: string[] };

/** What the backend offers, as machines/extensions knows it. */
export interface Offer {
  has(name: string): boolean;
  /** The function failed without a reason, so it is not there any more. */
  failed(name: string): void;
}

interface ExtensionOptions {
  offer: Offer;
  /** The contract's own functions. */
  plain: ContractCalls;
  /** The name under which rows are lent to this runtime; when absent, none are. */
  holder: string | undefined;
  /** Called with the number of other runtimes that rows are lent to, whenever the backend gives it. */
  onOthers: (others: number) => void;
}

/**
 * Uses what the backend offers. Where it does not offer a function, the contract's own functions do the same in more
 * calls.
 */
export function extensionCalls(
  client: ServiceClient,
  { plain, offer, holder, onOthers }: ExtensionOptions,
): ExtensionCalls {
  async function either<T>(name: string, call: () => Promise<T>, instead: () => Promise<T>): Promise<T> {
    if (!offer.has(name)) return instead();
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof FunctionFault && error.mayBeAbsent)) throw error;
      offer.failed(name);
      return instead();
    }
  }
  const listPlainly = async (limit: number, signal?: AbortSignal): Promise<Page> => ({
    rows: await plain.listUndelivered(limit, signal),
    contexts: [],
    others: null,
  });
  async function listWithThem(wanted: Wanted, signal?: AbortSignal): Promise<Page> {
    const answer = await client.read(page, extensions.listWithContexts, wanted, signal);
    const rows = answer.notifications.flatMap((row) => parsed(notificationRow, row));
    // The plain list reports a malformed row and looks past it.
    if (rows.length < answer.notifications.length) return listPlainly(wanted.limit, signal);
    return { rows, contexts: contextsOf(answer), others: null };
  }
  /** The page grows past malformed rows, as that of the plain list does. */
  async function lease(wanted: Wanted & { holder: string }, signal?: AbortSignal): Promise<Page> {
    const answer = await client.read(leased, extensions.leaseNotifications, wanted, signal);
    const { length } = answer.notifications;
    const rows = client.rows(notificationRow, answer.notifications, extensions.leaseNotifications);
    const malformed = length - rows.length;
    if (malformed > 0 && length >= wanted.limit && wanted.limit < MAX_PAGE) {
      return lease({ ...wanted, limit: Math.min(MAX_PAGE, wanted.limit + malformed) }, signal);
    }
    onOthers(answer.others);
    return { rows, contexts: contextsOf(answer), others: answer.others };
  }

  return {
    askExtensions: async (signal) =>
      (await client.probe(offered, extensions.capabilities, {}, signal))?.functions ?? [],
    listWithContexts({ limit, contexts, busy }, signal) {
      const wanted = { limit, contexts, busy: [...busy] };
      const plainly = () => listPlainly(limit, signal);
      if (holder !== undefined && offer.has('leaseNotifications')) {
        return either('leaseNotifications', () => lease({ ...wanted, holder }, signal), plainly);
      }
      // Without room for a run the plain list gives the same, and it is a query where this is a mutation.
      if (contexts === 0) return plainly();
      return either('listWithContexts', () => listWithThem(wanted, signal), plainly);
    },
    async releaseRows(keep, signal) {
      if (holder === undefined) return;
      const args = { holder, keep: [...keep] };
      await either(
        'releaseNotifications',
        () => client.run(extensions.releaseNotifications, args, signal),
        () => Promise.resolve(),
      );
    },
    beginDelivery: (notificationId, signal) =>
      either<Begun>(
        'beginDelivery',
        async () => ({
          delivery: await client.read(deliveryContext, extensions.beginDelivery, { notificationId }, signal),
          typing: true,
        }),
        async () => ({ delivery: await plain.loadContext(notificationId, signal), typing: false }),
      ),
    completes: () => offer.has('completeDelivery'),
    completeDelivery: ({ reply, ...completed }, signal) =>
      either(
        'completeDelivery',
        () => {
          const args = { ...completed, reply: reply && { ...reply, content: sendable(reply.content) } };
          return client.read(deliveryContext, extensions.completeDelivery, args, signal);
        },
        () => Promise.reject(new Fault('backendRejected', 'The backend offers no completeDelivery now.')),
      ),
    updateRuntimeStatus: (status, config, signal) =>
      either(
        'reportStatus',
        async () => {
          const named = holder !== undefined && offer.has('leaseNotifications') ? { holder } : {};
          const answer = await client.read(
            reported,
            extensions.reportStatus,
            { status, config, ...named },
            signal,
          );
          if (answer.others !== undefined) onOthers(answer.others);
          return { asked: answer.asked };
        },
        () => plain.updateRuntimeStatus(status, config, signal),
      ),
  };
}

const contextsOf = ({ contexts }: v.InferOutput<typeof page>): DeliveryContext[] =>
  contexts.flatMap((one) => parsed(deliveryContext, one)).filter((one) => one !== null);

function parsed<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T[] {
  const result = v.safeParse(schema, value);
  return result.success ? [result.output] : [];
}
