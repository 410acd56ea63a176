import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Notes } from './settings.ts';

export type Source = 'default' | 'environment' | 'file';

export interface Given {
  text: string;
  source: Exclude<Source, 'default'>;
}

export interface Sources {
  /** The text of each setting that was given; a setting that is absent or empty is missing here. */
  given: Map<string, Given>;
  /** One sentence for each setting that cannot be read at all. */
  problems: Map<string, string>;
}

/** Without white space around it, and without the quotes that `docker run --env-file` leaves in place. */
function clean(text: string | undefined): string {
  const bare = (text ?? '').trim();
  const quoted = /^(["'])(?<inner>[^]*)\1$/.exec(bare);
  return (quoted?.groups?.inner ?? bare).trim();
}

/** A path, or null when it looks more like the secret itself, put into the wrong variable. */
function shownPath(text: string): string | null {
  const looksLikePath = /^\.{0,2}\/|^[a-z]:[\\/]|\.[a-z]{1,5}$/i.test(text);
  return looksLikePath && !text.includes('mc_service_') ? JSON.stringify(text) : null;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
}

/** @returns the text of the file, or what is wrong with it */
function readSecretFile(name: string, path: string, cwd: string): { text: string } | { problem: string } {
  const shown = shownPath(path);
  const file = shown ?? 'the file (its path is not shown, it may be the secret itself)';
  try {
    const text = clean(readFileSync(resolve(cwd, path), 'utf8'));
    if (text !== '') return { text };
    return { problem: `${name}: ${file} is empty; put the value into it` };
  } catch (error) {
    const reason = codeOf(error);
    return {
      problem: `${name}: cannot read ${file} (${reason}); set the path of a file that this user can read`,
    };
  }
}

/**
 * Collects the texts of all settings: from NAME, or from the file that NAME_FILE names. An empty variable counts as not
 * set, with one exception: an empty OPENCLAW_GATEWAY_URL says that there is no gateway.
 *
 * @param cwd where relative paths begin
 */
export function readSources(
  env: NodeJS.ProcessEnv,
  settings: ReadonlyMap<string, Notes>,
  cwd: string,
): Sources {
  const given: Sources['given'] = new Map();
  const problems: Sources['problems'] = new Map();
  for (const [name, { file }] of settings) {
    const text = clean(env[name]);
    const path = file ? clean(env[`${name}_FILE`]) : '';
    if (text !== '' && path !== '') {
      problems.set(name, `${name}: set together with ${name}_FILE; keep one of the two`);
    } else if (path !== '') {
      const read = readSecretFile(`${name}_FILE`, path, cwd);
      if ('text' in read) given.set(name, { text: read.text, source: 'file' });
      else problems.set(name, read.problem);
    } else if (text !== '' || (name === 'OPENCLAW_GATEWAY_URL' && env[name] !== undefined)) {
      given.set(name, { text, source: 'environment' });
    }
  }
  return { given, problems };
}
