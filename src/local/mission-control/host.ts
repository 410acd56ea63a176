/** convex/ on its engine, with its scheduler, and with the demo account in it. */
import type { Value } from 'convex/values';
import { convexToJson } from 'convex/values';
import * as v from 'valibot';
import { ADMIN, createEngine, type Engine } from './engine/engine.ts';
import { startScheduler } from './engine/scheduler.ts';
import { loadModules } from './modules.ts';

const seeded = v.object({
  accountId: v.string(),
  tasks: v.array(v.object({ _id: v.string(), title: v.string() })),
});

type Seeded = v.InferOutput<typeof seeded>;

export interface Host {
  engine: Engine;
  /**
   * The demo account, or one like it under another slug; created when it is not there.
   * @param account SHA-256 of the tokens' secrets as lower-case hex, and the slug
   */
  seed(account: { serviceTokenHash: string; personTokenHash: string; slug?: string }): Promise<Seeded>;
  close(): void;
}

export interface HostOptions {
  /** A database file, or `:memory:`. */
  path: string;
  /** false: the contract alone. */
  extensions: boolean;
  log: (line: string) => void;
}

/** @throws Error with one sentence when convex/ or the file cannot be used */
export async function createHost({ path, extensions, log }: HostOptions): Promise<Host> {
  const modules = new Map(await loadModules());
  if (!extensions) modules.delete('service/extensions');
  const engine = createEngine({ path, modules });
  const scheduler = await startScheduler(engine, modules, log);
  const callAdmin = (name: string, args: Record<string, Value>): Promise<unknown> =>
    engine.call({ kind: 'mutation', path: name, args: convexToJson(args) }, ADMIN);
  return {
    engine,
    seed: async (account) => v.parse(seeded, await callAdmin('demo/seed:demo', account)),
    close() {
      scheduler.stop();
      engine.close();
    },
  };
}
