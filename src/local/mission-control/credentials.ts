import { join } from 'node:path';
import { readIfThere, writeSecret } from './data-dir.ts';
import type { BackendReady } from './ready.ts';

/** @returns the secret of the token that an earlier start left there, so that the token stays valid; null for none */
export function keptSecret(dir: string | null, name = 'SERVICE_TOKEN'): string | null {
  const token = dir === null ? null : readIfThere(join(dir, name));
  return /_([0-9a-f]{64})$/.exec(token ?? '')?.[1] ?? null;
}

/** Writes ACCOUNT_ID and SERVICE_TOKEN, each into a file that only its owner can read. */
export function writeCredentials(
  dir: string,
  { accountId, serviceToken }: Pick<BackendReady, 'accountId' | 'serviceToken'>,
): void {
  writeSecret(join(dir, 'ACCOUNT_ID'), accountId);
  writeSecret(join(dir, 'SERVICE_TOKEN'), serviceToken);
}
