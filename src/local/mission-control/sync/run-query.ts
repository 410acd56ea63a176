import type { Host } from '../host.ts';
import { errorReply, readCall, successReply } from '../wire.ts';
import type { RunQuery } from './session.ts';

/** The queries of the local backend, for subscribers. Failures are answers too. */
export function createRunQuery(host: Host): RunQuery {
  return async (path, args) => {
    const name = { kind: 'query', path } as const;
    try {
      const { result, tables } = await host.query(readCall('query', { path, args: [args] }));
      const reply =
        result.status === 'fulfilled' ? successReply(result.value) : errorReply(name, result.reason);
      return { reply, tables };
    } catch (error) {
      return { reply: errorReply(name, error), tables: new Set() };
    }
  };
}
