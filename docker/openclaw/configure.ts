/**
 * Writes OpenClaw's configuration before the gateway starts: the template, under what is there already, under what the
 * environment says, with the agents of the roster. Gathers the secrets in a file. Prints nothing of either. Exit code 78
 * when it cannot.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRoster, rosterPatch, type RosterAgent } from './agents.ts';
import { keepAsWritten, readConfig, writeConfig } from './config-file.ts';
import { fromEnvironment, withoutStale } from './environment.ts';
import { merge, type JsonObject } from './json.ts';
import { readSecrets, writeSecrets } from './secrets.ts';

interface Sources {
  template: JsonObject;
  /** As it was left by the gateway, or by somebody's hand; null at the first start. */
  existing: JsonObject | null;
  /** The variables of the container, and the secrets by their names. */
  env: Readonly<Record<string, string | undefined>>;
  /** Where the gateway finds the secrets. */
  secretsFile: string;
  /** null: there is none yet, and the agents stay as they are. */
  roster: ReadonlyMap<string, RosterAgent> | null;
  workspaces: string;
}

export function configure({ template, existing, env, secretsFile, roster, workspaces }: Sources): JsonObject {
  const base = withoutStale(existing ?? {}, env);
  const config = merge(merge(template, base), fromEnvironment(env, secretsFile));
  const patch = roster === null ? null : rosterPatch(config, roster, workspaces);
  return patch === null ? config : merge(config, patch);
}

/** A roster that cannot be read must not keep the gateway down. */
function readRoster(path: string): ReadonlyMap<string, RosterAgent> | null {
  try {
    return existsSync(path) ? parseRoster(readFileSync(path, 'utf8')) : null;
  } catch (error) {
    say(`left out the roster ${path}: ${messageOf(error)}`);
    return null;
  }
}

const say = (line: string): void => {
  process.stderr.write(`configure: ${line}\n`);
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function main(env: NodeJS.ProcessEnv): void {
  const path = env['OPENCLAW_CONFIG_PATH'] ?? '';
  const template = readConfig(join(import.meta.dirname, 'openclaw.json.template'));
  const there = readConfig(path);
  const secretsDir = env['SECRETS_DIR'] ?? '/run/secrets';
  const secretsFile = env['SECRETS_FILE'] ?? '';
  const secrets = readSecrets(env, secretsDir);
  if (secrets['OPENCLAW_GATEWAY_TOKEN'] === undefined) {
    throw new Error(
      `OPENCLAW_GATEWAY_TOKEN is not set: set it, or put the token into ${secretsDir}/OPENCLAW_GATEWAY_TOKEN`,
    );
  }
  writeSecrets(secretsFile, secrets);
  const config = configure({
    template: template?.config ?? {},
    existing: there?.config ?? null,
    env: { ...env, ...secrets },
    secretsFile,
    roster: readRoster(env['ROSTER_FILE'] ?? ''),
    workspaces: env['WORKSPACES_DIR'] ?? '',
  });
  if (there?.isJson5 === true) {
    const copies = keepAsWritten(path).join(' and ');
    say(`${path} was JSON5 and is JSON now, without its comments. As it was, it is kept in ${copies}.`);
  }
  writeConfig(path, config);
}

if (import.meta.main) {
  try {
    main(process.env);
  } catch (error) {
    say(messageOf(error));
    process.exitCode = 78;
  }
}
