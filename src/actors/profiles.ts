import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Profile } from '../../machines/profile-sync/profile.ts';
import type { Log } from '../logging/log.ts';
import { cannotWrite, publishFile } from './published-file.ts';

/**
 * Writes the profiles beside the roster, one file an agent (docs/runtime/openclaw-gateway.md#profiles). The
 * file of an agent that is gone is removed.
 *
 * @param rosterFile the roster's path, next to which `profiles/` is; null: there is nobody to tell
 * @returns rejects with an Error that names the directory
 */
export function createProfileWriter(rosterFile: string | null, log: Pick<Log, 'warn'>) {
  const directory = rosterFile === null ? null : join(dirname(rosterFile), 'profiles');
  let told = '';
  return ({
    input: { profiles, leftOut },
  }: {
    input: { profiles: readonly Profile[]; leftOut: readonly string[] };
  }): Promise<void> => {
    if (directory === null) return Promise.resolve();
    try {
      publish(directory, profiles);
    } catch (error) {
      return Promise.reject(cannotWrite(directory, error));
    }
    // The same words every minute tell nobody anything.
    const now = leftOut.join('; ');
    if (now !== '' && now !== told) {
      log.warn('profiles.leftOut', `Not published of the agents' profiles: ${now}`, { leftOut });
    }
    told = now;
    return Promise.resolve();
  };
}

function publish(directory: string, profiles: readonly Profile[]): void {
  mkdirSync(directory, { recursive: true });
  const files = new Map(
    profiles.map((profile) => [
      `${profile.slug.toLowerCase()}.json`,
      `${JSON.stringify(profile, null, 2)}\n`,
    ]),
  );
  for (const [name, text] of files) publishFile(join(directory, name), text);
  for (const name of readdirSync(directory)) {
    if (name.endsWith('.json') && !files.has(name)) rmSync(join(directory, name));
  }
}
