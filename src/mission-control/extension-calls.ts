import * as v from 'valibot';
import { Fault } from '../../machines/shared/fault.ts';
import type { MissionControl } from '../ports.ts';
import { UnexplainedFault, type ServiceClient } from './client.ts';
import { extensions } from './functions.ts';
import { configOf } from './runtime-calls.ts';
import { deliveryContext, notificationRow } from './schemas.ts';

const offer = v.object({ functions: v.array(v.string()) });
const page = v.object({ notifications: v.array(v.unknown()), contexts: v.array(v.unknown()) });
const asked = v.object({ asked: v.boolean() });

type Plain = Pick<
  MissionControl,
  | 'listUndelivered'
  | 'loadContext'
  | 'updateRuntimeStatus'
  | 'getPendingUpgrade'
  | 'checkAndClearRestartRequested'
>;

type ExtensionCalls = Plain &
  Pick<
    MissionControl,
    'askExtensions' | 'listWithContexts' | 'beginDelivery' | 'completes' | 'completeDelivery'
  >;

/**
 * What the backend offers, used where it is offered; else the contract's own functions, which do the same in more
 * calls. One that fails without a reason is not called again until the backend has offered it anew.
 *
 * @param plain the contract's own
 */
export function extensionCalls(client: ServiceClient, plain: Plain): ExtensionCalls {
  const offered = new Set<string>();
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
  const listPlainly = async (limit: number, signal?: AbortSignal) => ({
    rows: await plain.listUndelivered(limit, signal),
    contexts: [],
  });

  return {
    ...plain,
    askExtensions: async (signal) => {
      const answer = await client.probe(offer, extensions.capabilities, {}, signal);
      offered.clear();
      for (const name of answer?.functions ?? []) offered.add(name);
      return [...offered];
    },
    listWithContexts: ({ limit, contexts, busy }, signal) =>
      // Without room for a run it is the same, and a query where this is a mutation.
      contexts === 0
        ? listPlainly(limit, signal)
        : either(
            'listWithContexts',
            async () => {
              const args = { limit, contexts, busy: [...busy] };
              const answer = await client.read(page, extensions.listWithContexts, args, signal);
              const rows = answer.notifications.flatMap((row) => parsed(notificationRow, row));
              // A row that is none is told of, and looked past, by the plain list.
              if (rows.length < answer.notifications.length) return listPlainly(limit, signal);
              return {
                rows,
                contexts: answer.contexts
                  .flatMap((one) => parsed(deliveryContext, one))
                  .filter((one) => one !== null),
              };
            },
            () => listPlainly(limit, signal),
          ),
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
          const args = { status, config: configOf(report) };
          const answer = await client.read(asked, extensions.reportStatus, args, signal);
          nothingAsked.upgrade = !answer.asked;
          nothingAsked.restart = !answer.asked;
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

function parsed<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T[] {
  const result = v.safeParse(schema, value);
  return result.success ? [result.output] : [];
}
