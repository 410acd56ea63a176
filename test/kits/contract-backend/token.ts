import { failure } from '../../../convex/model/errors.ts';
import { sha256, type Store } from './store.ts';

const MAX_TOKEN_LENGTH = 512;

/** The checks of a token, in their order (docs/contract.md#token). @throws ConvexError UNAUTHENTICATED with the contract's sentences */
export function requireAccount({ account }: Store, accountId: string, token: string): void {
  if (token.length > MAX_TOKEN_LENGTH) throw refused('Invalid service token');
  const [mc, service, tokenAccountId, ...secret] = token.split('_');
  if (mc !== 'mc' || service !== 'service') throw refused('Invalid service token format');
  if (tokenAccountId === undefined || secret.length === 0) throw refused('Invalid service token structure');
  if (tokenAccountId !== account._id) throw refused('Not found: Account does not exist');
  if (sha256(secret.join('_')) !== account.secretHash) throw refused('Invalid service token');
  if (accountId !== account._id) throw refused('Forbidden: Service token does not match account');
}

const refused = (message: string): Error => failure('UNAUTHENTICATED', message);
