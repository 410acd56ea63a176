/**
 * Brings the roster of Mission Control into the running gateway: looks at the file that the runtime writes, and asks
 * the gateway to change its configuration accordingly. The gateway stays the only one that writes it, and takes the
 * change over without a restart (docs/adr says why). Runs beside the gateway until its container ends.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRoster, rosterPatch, type RosterAgent } from './agents.ts';
import { withGateway, type Call } from './gateway-call.ts';
import { at, isObject, type Json, type JsonObject } from './json.ts';

/** A look costs one small read; a change notice would not come through every kind of mount. */
const LOOK_EVERY_MS = 1_000;
const RETRY_MS = { first: 1_000, longest: 5_000 };

const { ROSTER_FILE = '', WORKSPACES_DIR = '', OPENCLAW_GATEWAY_TOKEN = '' } = process.env;
const URL_OF_GATEWAY = process.env['ROSTER_GATEWAY_URL'] ?? 'ws://127.0.0.1:18789';

const log = (line: string): void => {
  process.stderr.write(`roster: ${line}\n`);
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** @returns null while there is no roster */
function readRoster(): string | null {
  try {
    return readFileSync(ROSTER_FILE, 'utf8');
  } catch {
    return null;
  }
}

/** @returns the ids that the gateway did not know, or not by that name */
async function bringOver(call: Call, roster: ReadonlyMap<string, RosterAgent>): Promise<string[]> {
  const { config, hash } = parseSnapshot(await call('config.get', {}));
  const patch = rosterPatch(config, roster, WORKSPACES_DIR);
  if (patch === null) return [];
  await call('config.patch', { raw: JSON.stringify(patch), baseHash: hash });
  return Object.keys(at(patch, 'agents', 'entries') ?? {});
}

/** @throws Error when the gateway answers something else */
function parseSnapshot(answer: unknown): { config: JsonObject; hash: string } {
  if (typeof answer === 'object' && answer !== null && 'config' in answer && 'hash' in answer) {
    const { config, hash } = answer;
    if (isObject(config as Json) && typeof hash === 'string') return { config: config as JsonObject, hash };
  }
  throw new Error('its answer to config.get is not the one of OpenClaw 2026.9');
}

/** @returns whether the gateway has this roster now */
async function apply(text: string): Promise<boolean> {
  let roster;
  try {
    roster = parseRoster(text);
  } catch (error) {
    log(`${ROSTER_FILE} is not taken over: ${messageOf(error)}`);
    // Another try would not make it better; the next one that is written may.
    return true;
  }
  try {
    const changed = await withGateway(URL_OF_GATEWAY, OPENCLAW_GATEWAY_TOKEN, (call) =>
      bringOver(call, roster),
    );
    if (changed.length > 0) log(`the gateway knows ${changed.join(', ')}`);
    return true;
  } catch (error) {
    log(`the gateway did not take the roster over, trying again: ${messageOf(error)}`);
    return false;
  }
}

let applied: string | null = null;
let retryMs = RETRY_MS.first;
for (;;) {
  const text = readRoster();
  if (text === null || text === applied) {
    await sleep(LOOK_EVERY_MS);
  } else if (await apply(text)) {
    applied = text;
    retryMs = RETRY_MS.first;
  } else {
    await sleep(retryMs);
    retryMs = Math.min(retryMs * 2, RETRY_MS.longest);
  }
}
