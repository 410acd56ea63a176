import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendReady } from './ready.ts';

/** @returns the secret of the token that an earlier backend left there, so that its token stays valid; null for none */
export function keptSecret(dir: string | null): string | null {
  if (dir === null) return null;
  try {
    return /_([0-9a-f]{64})\s*$/.exec(readFileSync(join(dir, 'SERVICE_TOKEN'), 'utf8'))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Writes ACCOUNT_ID and SERVICE_TOKEN, each into a file that only its owner can read. */
export function writeCredentials(
  dir: string,
  { accountId, serviceToken }: Pick<BackendReady, 'accountId' | 'serviceToken'>,
): void {
  for (const [name, value] of Object.entries({ ACCOUNT_ID: accountId, SERVICE_TOKEN: serviceToken })) {
    const path = join(dir, name);
    writeFileSync(`${path}.new`, `${value}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
