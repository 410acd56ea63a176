import * as v from 'valibot';
import type { Store } from './store.ts';
import { requireAccount } from './token.ts';

/** Runs a function. @throws Error for arguments that do not fit, ConvexError for what the contract refuses */
export type ServiceFunction = (store: Store, args: Record<string, unknown>) => unknown;

/** A function of the service: its own arguments are checked, then the token. */
export function define<Entries extends v.ObjectEntries>(
  entries: Entries,
  run: (store: Store, args: v.InferOutput<v.StrictObjectSchema<Entries, undefined>>) => unknown,
): ServiceFunction {
  const own = v.strictObject(entries);
  return (store, { accountId, serviceToken, ...rest }) => {
    const claim = parse(v.object({ accountId: v.string(), serviceToken: v.string() }), {
      accountId,
      serviceToken,
    });
    const args = parse(own, rest);
    requireAccount(store, claim.accountId, claim.serviceToken);
    return run(store, args);
  };
}

function parse<Schema extends v.GenericSchema>(schema: Schema, json: unknown): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  throw new Error(`ArgumentValidationError: ${v.summarize(parsed.issues)}`);
}
