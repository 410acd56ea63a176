import type { JSONValue, ValidatorJSON } from 'convex/values';

export type FunctionKind = 'query' | 'mutation' | 'action';

/** The modules of convex/, by the name that function paths use: `service/actions`. */
export type Modules = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

export interface RegisteredFunction {
  path: string;
  kind: FunctionKind;
  isPublic: boolean;
  args: ValidatorJSON;
  /** null: anything. */
  returns: ValidatorJSON | null;
  /** Runs the handler. @param args one object */
  invoke(args: JSONValue): Promise<JSONValue>;
}

export type Functions = ReadonlyMap<string, RegisteredFunction>;

const NOT_HERE = new Map([
  ['http', 'HTTP actions'],
  ['auth.config', 'sign-in providers'],
  ['convex.config', 'components'],
]);

/**
 * Finds the queries, mutations and actions in the modules.
 * @throws Error when a module needs what this Mission Control does not have, or a validator is broken
 */
export function readFunctions(modules: Modules): Functions {
  const functions = new Map<string, RegisteredFunction>();
  for (const [name, module] of modules) {
    const feature = NOT_HERE.get(name);
    if (feature) throw new Error(`convex/${name} needs ${feature}, which only a Convex deployment has.`);
    for (const [exported, value] of Object.entries(module)) {
      const path = `${name}:${exported}`;
      const found = readFunction(path, value);
      if (found) functions.set(path, found);
    }
  }
  return functions;
}

/** A path as clients write it, in its full form. */
export function fullPath(path: string): string {
  const [module = '', exported = 'default'] = path.split(':');
  return `${module.replace(/\.js$/, '')}:${exported}`;
}

const MARKS = { isQuery: 'query', isMutation: 'mutation', isAction: 'action' } as const;

function readFunction(path: string, value: unknown): RegisteredFunction | null {
  if (typeof value !== 'function') return null;
  const member = (name: string): unknown =>
    Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  const mark = (['isQuery', 'isMutation', 'isAction'] as const).find((name) => member(name) === true);
  if (mark === undefined) return null;
  const callMember = (name: string, args: unknown[]): unknown => {
    const method = member(name);
    if (typeof method !== 'function') throw new Error(`${path} was not made by this version of convex.`);
    return Reflect.apply(method, value, args);
  };
  const kind = MARKS[mark];
  return {
    path,
    kind,
    isPublic: member('isPublic') === true,
    args: JSON.parse(String(callMember('exportArgs', []))) as ValidatorJSON,
    returns: JSON.parse(String(callMember('exportReturns', []))) as ValidatorJSON | null,
    async invoke(args) {
      const text = JSON.stringify([args]);
      const requestId = '';
      const result =
        kind === 'action'
          ? callMember('invokeAction', [requestId, text])
          : callMember(kind === 'query' ? 'invokeQuery' : 'invokeMutation', [text]);
      return JSON.parse(String(await result)) as JSONValue;
    },
  };
}
