/**
 * The gateway's token and keys. They are no variables of the gateway's: whatever an agent starts inherits those, and
 * /proc shows them. They are in one file that only the gateway's user reads; the configuration refers to it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from './json.ts';

export const SECRET_NAMES = [
  'OPENCLAW_GATEWAY_TOKEN',
  'ANTHROPIC_API_KEY',
  'OPENAI_API_KEY',
  'CUSTOM_MODEL_API_KEY',
  'TELEGRAM_BOT_TOKEN',
  'DISCORD_BOT_TOKEN',
  'SLACK_BOT_TOKEN',
  'SLACK_APP_TOKEN',
] as const;

/** The name of the provider in OpenClaw's configuration. */
const PROVIDER = 'mission-control';

/** Where the prepare service leaves what .env says. */
const FROM_SETTINGS = 'from-settings';

/**
 * Each secret is a variable, or what .env says, or a file of its name: the first one that is not empty.
 * @param directory where the files are
 */
export function readSecrets(
  env: Readonly<Record<string, string | undefined>>,
  directory: string,
): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const name of SECRET_NAMES) {
    const value = env[name] || fileAt(directory, FROM_SETTINGS, name) || fileAt(directory, name);
    if (value) secrets[name] = value;
  }
  return secrets;
}

function fileAt(...path: string[]): string {
  try {
    return readFileSync(join(...path), 'utf8').trim();
  } catch {
    return '';
  }
}

/** Writes all of them for their owner alone, as OpenClaw's file provider wants it. */
export const writeSecrets = (path: string, secrets: Readonly<Record<string, string>>): void =>
  writeFileSync(path, JSON.stringify(secrets), { mode: 0o600 });

/** @throws Error that names the file, when there is no token in it */
export function readToken(path: string): string {
  const secrets: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const isRead = typeof secrets === 'object' && secrets !== null && 'OPENCLAW_GATEWAY_TOKEN' in secrets;
  if (isRead && typeof secrets.OPENCLAW_GATEWAY_TOKEN === 'string') return secrets.OPENCLAW_GATEWAY_TOKEN;
  throw new Error(`${path} holds no OPENCLAW_GATEWAY_TOKEN`);
}

/** What the configuration says in a secret's place. */
export const reference = (name: string): JsonObject => ({
  source: 'file',
  provider: PROVIDER,
  id: `/${name}`,
});

/** Tells OpenClaw where the references lead. */
export const provider = (path: string): JsonObject => ({
  [PROVIDER]: { source: 'file', path, mode: 'json' },
});
