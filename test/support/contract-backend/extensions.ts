/** `service/extensions` (docs/contract-extensions.md). */
import { define, type ServiceFunction } from './define.ts';

const functions = {
  capabilities: define({}, () => ({
    functions: [...EXTENSIONS.keys()].filter((name) => name !== 'capabilities'),
  })),
  /** Counts what comes: it is another one for each. */
  wakeUp: define({}, ({ arrivals }) => String(arrivals)),
};

export const EXTENSIONS: ReadonlyMap<string, ServiceFunction> = new Map(Object.entries(functions));
