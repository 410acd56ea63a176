import { ConvexHttpClient } from 'convex/browser';
import type { DefaultFunctionArgs } from 'convex/server';
import type { GenericSchema } from 'valibot';
import { Fault } from '../../machines/shared/fault.ts';
import type { FaultKind } from '../../machines/shared/fault.ts';
import { FunctionFault, functionFault } from './function-fault.ts';
import { nameOf } from './functions.ts';
import type { ServiceAction } from './functions.ts';
import { parseAnswer, parseRows } from './parse.ts';
import type { Malformed } from './parse.ts';
import type { Transport } from './transport.ts';

export interface ServiceAccess {
  /** The deployment, without a slash at the end. */
  url: string;
  accountId: string;
  /** Goes out with every call; never into a message. */
  serviceToken: string;
  /** The proxy on the way to it; none when absent or null. */
  proxy?: string | null;
}

/** The ways to call the service; each rejects with a Fault. */
export interface ServiceClient {
  /** Calls for the effect alone. The answer is not read. */
  run<Args extends DefaultFunctionArgs>(
    action: ServiceAction<Args>,
    args: NoInfer<Args>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Calls for the answer, which must fit the schema. */
  read<Args extends DefaultFunctionArgs, T>(
    schema: GenericSchema<unknown, T>,
    action: ServiceAction<Args>,
    args: NoInfer<Args>,
    signal?: AbortSignal,
  ): Promise<T>;
  /** Calls for a list. Rows that do not fit the schema are left out and reported. */
  list<Args extends DefaultFunctionArgs, T>(
    schema: GenericSchema<unknown, T>,
    action: ServiceAction<Args>,
    args: NoInfer<Args>,
    signal?: AbortSignal,
  ): Promise<T[]>;
  /** A list within an answer of the action, read in the same way. */
  rows<T>(schema: GenericSchema<unknown, T>, value: unknown, action: ServiceAction<DefaultFunctionArgs>): T[];
  /**
   * Calls a function that may not be there, and gives null if it is not. A production deployment hides why a call
   * failed, so every failure that is no ConvexError counts as absence. Trouble on the way to the function is no
   * absence, so it rejects.
   */
  probe<Args extends DefaultFunctionArgs, T>(
    schema: GenericSchema<unknown, T>,
    action: ServiceAction<Args>,
    args: NoInfer<Args>,
    signal?: AbortSignal,
  ): Promise<T | null>;
}

/** Told of every call that ended: the function's name in the contract, and how. */
export type CountCall = (name: string, outcome: 'ok' | FaultKind) => void;

/** A production deployment does not say that it refuses the token. The only sign is that every call fails. */
const EVERY_CALL_FAILS = 'So does every other call: SERVICE_TOKEN or ACCOUNT_ID may be wrong.';

export function createServiceClient(
  { url, accountId, serviceToken }: ServiceAccess,
  transport: Transport,
  report: (rows: Malformed[]) => void,
  countCall: CountCall = () => undefined,
): ServiceClient {
  /** Functions that failed since the last success, where the deployment hid the reason. */
  const silent = new Set<string>();

  function faultOfFunction(name: string, error: unknown): FunctionFault {
    const fault = functionFault(name, error, serviceToken);
    if (fault.words !== '') return fault;
    silent.add(name);
    return silent.size < 2
      ? fault
      : new FunctionFault(fault.kind, `${fault.message} ${EVERY_CALL_FAILS}`, fault);
  }

  async function call<Args extends DefaultFunctionArgs>(
    action: ServiceAction<Args>,
    args: Args,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const name = nameOf(action);
    // A client of its own carries the call's signal in its fetch; making one takes half a microsecond.
    const client = new ConvexHttpClient(url, {
      fetch: transport.fetchFor(name, signal),
      skipConvexDeploymentUrlCheck: true,
      logger: false,
    });
    try {
      const answer: unknown = await client.action<ServiceAction<DefaultFunctionArgs>>(action, {
        ...args,
        accountId,
        serviceToken,
      });
      countCall(name, 'ok');
      silent.clear();
      return answer;
    } catch (error) {
      const fault = error instanceof Fault ? error : faultOfFunction(name, error);
      countCall(name, fault.kind);
      throw fault;
    }
  }
  const rows: ServiceClient['rows'] = (schema, value, action) => {
    const { rows: good, malformed } = parseRows(schema, value, nameOf(action));
    report(malformed);
    return good;
  };

  return {
    rows,
    run: async (action, args, signal) => {
      await call(action, args, signal);
    },
    read: async (schema, action, args, signal) =>
      parseAnswer(schema, await call(action, args, signal), nameOf(action)),
    list: async (schema, action, args, signal) => rows(schema, await call(action, args, signal), action),
    probe: async (schema, action, args, signal) => {
      try {
        return parseAnswer(schema, await call(action, args, signal), nameOf(action));
      } catch (error) {
        if (!(error instanceof FunctionFault && error.mayBeAbsent)) throw error;
        // An absent function says nothing about the token.
        silent.delete(nameOf(action));
        return null;
      }
    },
  };
}
