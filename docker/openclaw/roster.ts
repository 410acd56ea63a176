/**
 * Brings the roster of Mission Control into the running gateway: looks at the file that the runtime writes, and asks
 * the gateway to change its configuration accordingly. The gateway stays the only one that writes it, and takes the
 * change over without a restart (docs/adr says why). Writes the agents' profiles into their workspaces, and their models
 * into the configuration. Runs beside the gateway until its container ends.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRoster, rosterPatch, type RosterAgent } from './agents.ts';
import { withGateway, type Call } from './gateway-call.ts';
import { at, isObject, merge, type Json, type JsonObject } from './json.ts';
import { readMemory, writeMemory, type Memory } from './memory.ts';
import { modelPatch, namesOf, parseModelMap } from './models.ts';
import { createProfiles } from './profiles.ts';
import { readToken } from './secrets.ts';

/** A look costs one small read; a change notice would not come through every kind of mount. */
const LOOK_EVERY_MS = 1_000;
const RETRY_MS = { first: 1_000, longest: 5_000 };

const { ROSTER_FILE = '', WORKSPACES_DIR = '', SECRETS_FILE = '', OPENCLAW_STATE_DIR = '' } = process.env;
const URL_OF_GATEWAY = process.env['ROSTER_GATEWAY_URL'] ?? 'ws://127.0.0.1:18789';

const log = (line: string): void => {
  process.stderr.write(`roster: ${line}\n`);
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A gateway that starts or drains is waited for without a word: that is no trouble. */
async function isGatewayReady(): Promise<boolean> {
  const url = new URL('/readyz', URL_OF_GATEWAY.replace(/^ws/, 'http'));
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
  await answer?.body?.cancel();
  return answer?.status === 200;
}

/** @returns null while there is no roster */
function readRoster(): string | null {
  try {
    return readFileSync(ROSTER_FILE, 'utf8');
  } catch {
    return null;
  }
}

/** @returns the configuration with the roster in it, and the ids that the gateway did not know, or not by that name */
async function bringOver(
  call: Call,
  roster: ReadonlyMap<string, RosterAgent>,
): Promise<{ config: JsonObject; changed: string[] }> {
  const { config, hash } = parseSnapshot(await call('config.get', {}));
  const patch = rosterPatch(config, roster, WORKSPACES_DIR);
  if (patch === null) return { config, changed: [] };
  await call('config.patch', { raw: JSON.stringify(patch), baseHash: hash });
  return { config: merge(config, patch), changed: Object.keys(at(patch, 'agents', 'entries') ?? {}) };
}

/** @throws Error when the gateway answers something else */
function parseSnapshot(answer: unknown): { config: JsonObject; hash: string } {
  if (typeof answer === 'object' && answer !== null && 'config' in answer && 'hash' in answer) {
    const { config, hash } = answer;
    if (isObject(config as Json) && typeof hash === 'string') return { config: config as JsonObject, hash };
  }
  throw new Error('its answer to config.get is not the one of OpenClaw 2026.9');
}

/** What was said last of a try that failed: it is said once, however many tries follow. */
let lastTrouble: string | null = null;

/** The agents of the roster whose workspaces are ours: an entry of somebody else's has another one. */
let ours: readonly string[] = [];

/** @returns whether the gateway has this roster now */
async function apply(text: string): Promise<boolean> {
  let roster: ReadonlyMap<string, RosterAgent>;
  try {
    roster = parseRoster(text);
  } catch (error) {
    log(`${ROSTER_FILE} is not taken over: ${messageOf(error)}`);
    // Another try would not make it better; the next one that is written may.
    return true;
  }
  return tryWithGateway('did not take the roster over', async (call) => {
    const { config, changed } = await bringOver(call, roster);
    if (changed.length > 0) log(`the gateway knows ${changed.join(', ')}`);
    ours = [...roster.keys()].filter(
      (id) => at(config, 'agents', 'entries', id, 'workspace') === join(WORKSPACES_DIR, id),
    );
  });
}

/** @returns whether it worked */
async function tryWithGateway(what: string, use: (call: Call) => Promise<void>): Promise<boolean> {
  try {
    await withGateway(URL_OF_GATEWAY, readToken(SECRETS_FILE), use);
    lastTrouble = null;
    return true;
  } catch (error) {
    const trouble = `the gateway ${what}, trying again: ${messageOf(error)}`;
    if (trouble !== lastTrouble) log(trouble);
    lastTrouble = trouble;
    return false;
  }
}

const memoryFile = join(OPENCLAW_STATE_DIR, 'mission-control.json');
let memory = readMemory(memoryFile);

function remember(change: Partial<Memory>): void {
  memory = { ...memory, ...change };
  writeMemory(memoryFile, memory);
}

const profiles = createProfiles(join(dirname(ROSTER_FILE), 'profiles'), WORKSPACES_DIR, log);

function applyProfiles(): void {
  try {
    const workspaces = profiles.apply(ours, memory.workspaces);
    if (workspaces !== memory.workspaces) remember({ workspaces });
  } catch (error) {
    const trouble = `the profiles could not be written, trying again: ${messageOf(error)}`;
    if (trouble !== lastTrouble) log(trouble);
    lastTrouble = trouble;
  }
}

const modelMap = parseModelMap(process.env['OPENCLAW_AGENT_MODELS'] ?? '', log);

/** By agent id, the model that the map gives it. */
const wantedModels = (): Map<string, string> =>
  new Map(
    ours.flatMap((id) => {
      const model = modelMap.get(profiles.modelOf(id) ?? '');
      return model === undefined ? [] : [[id, model] as const];
    }),
  );

/** Sets, changes and takes back the models of agents. @returns whether the gateway has them now */
const applyModels = (wanted: ReadonlyMap<string, string>): Promise<boolean> =>
  tryWithGateway('did not take the models over', async (call) => {
    const listed = namesOf(await call('models.list', { view: 'all' }));
    const unknown = new Set([...wanted.values()].filter((model) => !listed.has(model)));
    if (unknown.size > 0) log(`the gateway lists no ${[...unknown].join(', ')}: not set for any agent`);
    const known = new Map([...wanted].filter(([, model]) => listed.has(model)));
    const { config, hash } = parseSnapshot(await call('config.get', {}));
    const { patch, set } = modelPatch(config, known, memory.models);
    if (patch !== null) await call('config.patch', { raw: JSON.stringify(patch), baseHash: hash });
    remember({ models: set });
  });

let applied: string | null = null;
/** Nothing is asked of the gateway where no model was ever given. */
let appliedModels = Object.keys(memory.models).length === 0 ? '[]' : null;
let retryMs = RETRY_MS.first;

/** @returns whether all is as it should be; the next look is due in a second then */
async function lookAround(): Promise<boolean> {
  const text = readRoster();
  if (text !== null && text !== applied) {
    if (!(await isGatewayReady())) return true;
    if (!(await apply(text))) return false;
    applied = text;
  }
  applyProfiles();
  const wanted = wantedModels();
  const models = JSON.stringify([...wanted]);
  if (applied === null || models === appliedModels || !(await isGatewayReady())) return true;
  if (!(await applyModels(wanted))) return false;
  appliedModels = models;
  return true;
}

for (;;) {
  if (await lookAround()) {
    retryMs = RETRY_MS.first;
    await sleep(LOOK_EVERY_MS);
  } else {
    await sleep(retryMs);
    retryMs = Math.min(retryMs * 2, RETRY_MS.longest);
  }
}
