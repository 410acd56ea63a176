import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { sha256Hex } from '../../convex/model/serviceToken.ts';
import { createDemoClient, type DemoClient } from '../../src/local/client.ts';
import { createHost } from '../../src/local/mission-control/host.ts';
import { createBackendServer } from '../../src/local/mission-control/server.ts';
import { serveSync } from '../../src/local/mission-control/sync/server.ts';

/** One account of a Mission Control that has several, with a person in front of it. */
export interface Account extends DemoClient {
  url: string;
  accountId: string;
  serviceToken: string;
  taskIds: readonly string[];
}

/** A local Mission Control with so many accounts, in this process. */
export async function manyAccounts(count: number): Promise<Account[]> {
  const host = await createHost({ path: ':memory:', extensions: true, log: () => undefined });
  const { engine } = host;
  const adminKey = randomBytes(16).toString('hex');
  const server = createBackendServer({ engine, adminKey, log: () => undefined, faults: null });
  const sync = serveSync(server, engine);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    sync.close();
    server.close();
    server.closeAllConnections();
    host.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const accounts: Account[] = [];
  for (let n = 1; n <= count; n++) {
    const [secret, personSecret] = [newSecret(), newSecret()];
    const { accountId, tasks } = await host.seed({
      serviceTokenHash: await sha256Hex(secret),
      personTokenHash: await sha256Hex(personSecret),
      slug: `account-${n}`,
    });
    const serviceToken = `mc_service_${accountId}_${secret}`;
    const personToken = `mc_person_${accountId}_${personSecret}`;
    const person = createDemoClient({ convexUrl: url, accountId, serviceToken, personToken });
    accounts.push({ ...person, url, accountId, serviceToken, taskIds: tasks.map(({ _id }) => _id) });
  }
  return accounts;
}

const newSecret = (): string => randomBytes(32).toString('hex');
