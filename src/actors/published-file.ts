import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Writes a file that others read, if its content is new: in one step, so that nobody reads half of it. */
export function publishFile(path: string, text: string): void {
  if (read(path) === text) return;
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** What to do about a file or directory that cannot be written. */
export function cannotWrite(path: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
  return new Error(`Cannot write ${path} (${code}): correct OPENCLAW_ROSTER_FILE, or its directory's owner.`);
}
