/** What the local Mission Control keeps in its data directory. Only its owner can read it. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const databaseIn = (dir: string): string => join(dir, 'data.sqlite');

/** @throws Error when the directory cannot be made or is not ours */
export function prepareDataDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    chmodSync(dir, 0o700);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The data directory ${dir} cannot be used: ${reason}.`, { cause: error });
  }
}

/** Writes a file that only its owner can read, whole or not at all. */
export function writeSecret(path: string, value: string): void {
  writeFileSync(`${path}.new`, `${value}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The key that opens backups, exports and internal functions; made at the first start. */
export function adminKeyOf(dir: string): string {
  const path = join(dir, 'admin-key');
  const known = readIfThere(path);
  if (known !== null) return known;
  const key = newAdminKey();
  writeSecret(path, key);
  return key;
}

export const newAdminKey = (): string => `local|${randomBytes(32).toString('hex')}`;

/** @returns the file's text without the space around it, or null when there is none */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null;
  }
}
