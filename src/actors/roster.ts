import type { RosterEntry } from '../../machines/agent-sync/roster.ts';
import { cannotWrite, publishFile } from './published-file.ts';

/**
 * Writes the agents into the file that the gateway's roster process reads (docs/runtime/openclaw-gateway.md).
 *
 * @param path null: there is nobody to tell
 * @returns rejects with an Error that names the file
 */
export function createRosterWriter(path: string | null) {
  return ({ input: { roster } }: { input: { roster: readonly RosterEntry[] } }): Promise<void> => {
    if (path === null) return Promise.resolve();
    try {
      publishFile(path, `${JSON.stringify({ version: 1, agents: roster }, null, 2)}\n`);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(cannotWrite(path, error));
    }
  };
}
