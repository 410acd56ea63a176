import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setInterval } from 'node:timers';
import * as v from 'valibot';
import { sha256Hex } from '../../../convex/model/serviceToken.ts';
import { createFaults } from './faults.ts';
import { createHost } from './host.ts';
import type { Host } from './host.ts';
import type { BackendSettings } from './options.ts';
import type { BackendReady } from './ready.ts';
import { createBackendServer } from './server.ts';
import { createRunQuery } from './sync/run-query.ts';
import { serveSync } from './sync/server.ts';

const STALE_CHECK_MS = 30_000;

export interface RunningBackend {
  ready: BackendReady;
  /** Ends all connections; what a function is doing is cut off. */
  close(): void;
}

/** Seeds an empty backend and serves it. @throws Error when the port cannot be had */
export async function startServing(
  settings: BackendSettings,
  log: (line: string) => void,
): Promise<RunningBackend> {
  let onWrite: (table: string) => void = () => undefined;
  const { extensions } = settings;
  const host = await createHost({ onWrite: (table) => onWrite(table), extensions });
  const { accountId, tasks: seeded } = await host.seed(await sha256Hex(settings.secret));
  // The token is split at underscores: with one in the account's id it could not be read back.
  if (accountId.includes('_')) throw new Error(`The account id ${accountId} has an underscore in it.`);
  const serviceToken = `mc_service_${accountId}_${settings.secret}`;
  const tasks: BackendReady['tasks'] = seeded;
  for (let n = 1; n <= settings.extraTasks; n++) {
    tasks.push(await addTask(host, { accountId, serviceToken }, `Extra task ${n}`));
  }

  const server = createBackendServer({ host, log, faults: settings.faults ? createFaults() : null });
  const sync = serveSync(server, createRunQuery(host));
  onWrite = (table) => sync.written(table);
  server.listen(settings.port, settings.host);
  await listening(server, settings.port);
  const cron = setInterval(() => {
    host
      .markStaleRuntimesOffline()
      .catch((error: unknown) => log(`the stale check failed: ${String(error)}`));
  }, STALE_CHECK_MS);
  return {
    ready: { event: 'backend.ready', url: urlOf(server.address()), accountId, serviceToken, tasks },
    close() {
      clearInterval(cron);
      sync.close();
      server.close();
      server.closeAllConnections();
    },
  };
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
  auth: { accountId: string; serviceToken: string },
  title: string,
): Promise<BackendReady['tasks'][number]> {
  const args = { ...auth, title, assignedAgentSlugs: ['engineer'] };
  const made = await host.call({ kind: 'action', path: 'demo:createTask', args });
  return { _id: v.parse(v.object({ taskId: v.string() }), made).taskId, title };
}

const urlOf = (address: AddressInfo | string | null): string =>
  `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
