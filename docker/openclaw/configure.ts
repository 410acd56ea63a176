/**
 * Writes OpenClaw's configuration before the gateway starts: the template, under what is there already, under what the
 * environment says, with the agents of the roster. Prints nothing of it. Exit code 78 when it cannot.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRoster, rosterPatch, type RosterAgent } from './agents.ts';
import { fromEnvironment, withoutStale } from './environment.ts';
import { isObject, merge, type Json, type JsonObject } from './json.ts';

interface Sources {
  template: JsonObject;
  /** As it was left by the gateway, or by somebody's hand; null at the first start. */
  existing: JsonObject | null;
  env: Readonly<Record<string, string | undefined>>;
  /** null: there is none yet, and the agents stay as they are. */
  roster: ReadonlyMap<string, RosterAgent> | null;
  workspaces: string;
}

export function configure({ template, existing, env, roster, workspaces }: Sources): JsonObject {
  const base = withoutStale(existing ?? {}, env);
  const config = merge(merge(template, base), fromEnvironment(env));
  const patch = roster === null ? null : rosterPatch(config, roster, workspaces);
  return patch === null ? config : merge(config, patch);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** @throws Error that names the file and quotes nothing of it */
function parseConfig(path: string, text: string): JsonObject {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    throw new Error(`${path} is not JSON: correct it, or remove it to begin with the template`);
  }
  if (!isObject(value)) throw new Error(`${path} holds no object: remove it to begin with the template`);
  return value;
}

/** A roster that cannot be read must not keep the gateway down. */
function readRoster(path: string): ReadonlyMap<string, RosterAgent> | null {
  try {
    const text = readIfThere(path);
    return text === null ? null : parseRoster(text);
  } catch (error) {
    process.stderr.write(`configure: left out the roster ${path}: ${messageOf(error)}\n`);
    return null;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function main(env: NodeJS.ProcessEnv): void {
  const path = env['OPENCLAW_CONFIG_PATH'] ?? '';
  const templatePath = join(import.meta.dirname, 'openclaw.json.template');
  const there = readIfThere(path);
  const config = configure({
    template: parseConfig(templatePath, readFileSync(templatePath, 'utf8')),
    existing: there === null ? null : parseConfig(path, there),
    env,
    roster: readRoster(env['ROSTER_FILE'] ?? ''),
    workspaces: env['WORKSPACES_DIR'] ?? '',
  });
  writeFileSync(`${path}.new`, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

if (import.meta.main) {
  try {
    main(process.env);
  } catch (error) {
    process.stderr.write(`configure: ${messageOf(error)}\n`);
    process.exitCode = 78;
  }
}
