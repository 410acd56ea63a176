import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { RosterEntry } from '../../machines/agent-sync/roster.ts';

/**
 * Writes the agents into the file that the gateway's roster process reads (docs/runtime/openclaw-gateway.md): in one
 * step, so that nobody reads half of it, and only when it says something else already.
 *
 * @param path null: there is nobody to tell
 * @returns rejects with an Error that names the file
 */
export function createRosterWriter(path: string | null) {
  return ({ input: { roster } }: { input: { roster: readonly RosterEntry[] } }): Promise<void> => {
    if (path === null) return Promise.resolve();
    const text = `${JSON.stringify({ version: 1, agents: roster }, null, 2)}\n`;
    try {
      if (read(path) === text) return Promise.resolve();
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
      return Promise.resolve();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
      return Promise.reject(
        new Error(`Cannot write ${path} (${code}): correct OPENCLAW_ROSTER_FILE, or its directory's owner.`),
      );
    }
  };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
