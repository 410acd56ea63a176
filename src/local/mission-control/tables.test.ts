import * as v from 'valibot';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../../convex/model/serviceToken.ts';
import { createHost } from './host.ts';

const SECRET = 'ab'.repeat(32);

test('knows which tables a query reads, and which a call writes', async () => {
  const written: string[] = [];
  const host = await createHost({ onWrite: (table) => written.push(table) });
  const { accountId } = await host.seed(await sha256Hex(SECRET));
  const auth = { accountId, serviceToken: `mc_service_${accountId}_${SECRET}` };

  const query = { kind: 'query', path: 'service/extensions:wakeUp', args: auth } as const;
  const { result, tables } = await host.query(query);
  expect(v.parse(v.object({ status: v.literal('fulfilled') }), result)).toBeTruthy();
  expect([...tables].sort()).toEqual(['accounts', 'notifications']);
  const refused = await host.query({ ...query, args: { ...auth, serviceToken: 'mc_service_x_y' } });
  expect(refused.result.status).toBe('rejected');

  written.length = 0;
  await host.call({ kind: 'action', path: 'service/actions:getPendingUpgrade', args: auth });
  expect(written).toEqual([]);
  const task = { ...auth, title: 'A task', assignedAgentSlugs: ['engineer'] };
  await host.call({ kind: 'action', path: 'demo:createTask', args: task });
  expect(written).toContain('notifications');
  expect(written).not.toContain('accounts');
});
