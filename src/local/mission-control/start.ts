import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as v from 'valibot';
import { sha256Hex } from '../../../convex/model/serviceToken.ts';
import { adminKeyOf, databaseIn, newAdminKey, prepareDataDir } from './data-dir.ts';
import { createFaults } from './faults.ts';
import { createHost } from './host.ts';
import type { Host } from './host.ts';
import type { BackendSettings } from './options.ts';
import type { BackendReady } from './ready.ts';
import { createBackendServer } from './server.ts';
import { serveSync } from './sync/server.ts';

export interface RunningBackend {
  ready: BackendReady;
  /** Ends all connections; what a function is doing is cut off and taken back. */
  close(): void;
}

/** Opens the data, or begins them, and serves them. @throws Error when the port or the data cannot be had */
export async function startServing(
  settings: BackendSettings,
  log: (line: string) => void,
): Promise<RunningBackend> {
  const { extensions, dataDir } = settings;
  if (dataDir !== null) prepareDataDir(dataDir);
  const host = await createHost({
    path: dataDir === null ? ':memory:' : databaseIn(dataDir),
    extensions,
    log,
  });
  try {
    const account = await seed(host, settings);
    const adminKey = dataDir === null ? newAdminKey() : adminKeyOf(dataDir);
    const { engine } = host;
    const server = createBackendServer({
      engine,
      adminKey,
      log,
      faults: settings.faults ? createFaults() : null,
    });
    const sync = serveSync(server, engine, log);
    server.listen(settings.port, settings.host);
    await listening(server, settings.port);
    return {
      ready: { event: 'backend.ready', url: urlOf(server.address()), ...account },
      close() {
        sync.close();
        server.close();
        server.closeAllConnections();
        host.close();
      },
    };
  } catch (error) {
    host.close();
    throw error;
  }
}

async function seed(
  host: Host,
  { secret, personSecret, extraTasks }: BackendSettings,
): Promise<Omit<BackendReady, 'event' | 'url'>> {
  const { accountId, tasks } = await host.seed({
    serviceTokenHash: await sha256Hex(secret),
    personTokenHash: await sha256Hex(personSecret),
  });
  const serviceToken = `mc_service_${accountId}_${secret}`;
  const personToken = `mc_person_${accountId}_${personSecret}`;
  for (let n = 1; n <= extraTasks; n++) {
    tasks.push(await addTask(host, { accountId, personToken }, `Extra task ${n}`));
  }
  return { accountId, serviceToken, personToken, tasks };
}

async function listening(server: Server, port: number): Promise<void> {
  try {
    await once(server, 'listening');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new Error(
      `Port ${port} is taken. Stop what listens there, or set LOCAL_BACKEND_PORT (0: any free one).`,
      { cause: error },
    );
  }
}

async function addTask(
  host: Host,
  auth: { accountId: string; personToken: string },
  title: string,
): Promise<BackendReady['tasks'][number]> {
  const args = { ...auth, title, assignedAgentSlugs: ['engineer'] };
  const made = await host.engine.call({ kind: 'action', path: 'demo/actions:createTask', args });
  return { _id: v.parse(v.object({ taskId: v.string() }), made).taskId, title };
}

const urlOf = (address: AddressInfo | string | null): string =>
  `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
