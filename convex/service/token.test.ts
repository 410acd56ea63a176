import { expect, test } from 'vitest';
import { carrying, createBackend, SECRET, service } from '../testing.setup.ts';

const backend = await createBackend();
const { accountId, serviceToken } = backend.auth;
const otherAccount = await backend.addAccount();

test.each([
  ['over 512 characters', `mc_service_${accountId}_${'a'.repeat(512)}`, 'Invalid service token'],
  ['another prefix', `mc_user_${accountId}_${SECRET}`, 'Invalid service token format'],
  ['empty', '', 'Invalid service token format'],
  ['three parts', `mc_service_${accountId}`, 'Invalid service token structure'],
  ['no such account', `mc_service_nobody_${SECRET}`, 'Not found: Account does not exist'],
  [
    'an account without a token',
    `mc_service_${otherAccount}_${SECRET}`,
    'Forbidden: Account has no service token configured',
  ],
  ['another secret', `mc_service_${accountId}_${'cd'.repeat(32)}`, 'Invalid service token'],
  ['a secret with an underscore', `mc_service_${accountId}_${SECRET}_`, 'Invalid service token'],
])('refuses a token: %s', async (_, token, message) => {
  const call = backend.t.action(service.getPendingUpgrade, { accountId, serviceToken: token });
  await expect(call).rejects.toMatchObject(carrying('UNAUTHENTICATED', message));
  await expect(call).rejects.toThrow(message);
});

test('refuses a good token for another account', async () => {
  const call = backend.t.action(service.getPendingUpgrade, { accountId: otherAccount, serviceToken });
  await expect(call).rejects.toMatchObject(
    carrying('UNAUTHENTICATED', 'Forbidden: Service token does not match account'),
  );
});

test('takes the account’s own token', async () => {
  await expect(backend.t.action(service.getPendingUpgrade, backend.auth)).resolves.toBeNull();
});
