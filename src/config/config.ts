import { customCleanEnv, type CleanedEnv } from 'envalid';
import { resolve } from 'node:path';
import { NO_LIMITS, type TokenLimits } from '../../machines/shared/spending.ts';
import type { ToolMode } from '../../machines/shared/acting.ts';
import { runtimeVersion } from '../version.ts';
import { adviseOnNames, adviseOnVersion, clampNumbers, type Advice } from './advice.ts';
import { effectiveSettings, type EffectiveSetting } from './effective.ts';
import { formatDuration } from './duration.ts';
import { ConfigError, Invalid } from './errors.ts';
import { describeProblem } from './problems.ts';
import { proxyFor, proxyVariable, type Proxies } from './proxy.ts';
import { settingNotes, settings } from './settings.ts';
import { readSources, type Given } from './sources.ts';
import { parseTokenLimits } from './token-limits.ts';
import { accountOf } from './tokens.ts';
import { tracesConfig, type TracesConfig } from './traces.ts';
import { isLocal } from './url.ts';

/** The runtime's settings, checked. Every time is in milliseconds. */
export interface Config {
  accountId: string;
  /** Without a slash at its end. */
  convexUrl: string;
  serviceToken: string;
  health: { host: string; port: number };
  log: { level: 'debug' | 'info' | 'warn' | 'error'; format: 'json' | 'pretty' };
  delivery: {
    intervalMs: number;
    backoffBaseMs: number;
    backoffMaxMs: number;
    maxConcurrentSessions: number;
    listLimit: number;
    chainLimit: number;
  };
  /** Subscribe to the queue where the backend offers it. */
  wakeUp: boolean;
  /** null: there is no gateway, and delivery stays closed. The URL has no slash at its end. */
  gateway: { url: string; token: string; requestTimeoutMs: number } | null;
  /** After so much silence /health names the run. */
  stallAfterMs: number;
  /** The proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. */
  proxies: Proxies;
  /** Absolute; null: the runtime writes no roster. */
  rosterFile: string | null;
  /** null: the gateway is asked. */
  openclawVersion: string | null;
  runtimeVersion: string;
  agentTools: ToolMode;
  /** How many tokens an agent may use in a UTC day. */
  tokenLimits: TokenLimits;
  /** Ask the assignees of tasks that stand still. */
  followUps: boolean;
  healthCheckIntervalMs: number;
  agentSyncIntervalMs: number;
  /** null: the agents' profiles are not published. */
  profileSyncIntervalMs: number | null;
  upgradeMode: 'exit' | 'notify';
  drainTimeoutMs: number;
  upgradeDrainTimeoutMs: number;
  /** Absolute. */
  stateDir: string;
  journal: 'required' | 'optional';
  stateLockWaitMs: number;
  droplet: { id: string; ip: string; region: string };
  /** null: nobody asked for them. */
  traces: TracesConfig | null;
  /** The story of a notification shows the beginning of its message. */
  showTexts: boolean;
  /** null: it is off. */
  inspector: { host: string; port: number } | null;
}

export interface Surroundings {
  /** Whether the log goes to a terminal. */
  terminal: boolean;
  /** The directory that relative paths start from. */
  cwd: string;
}

type Values = CleanedEnv<typeof settings>;

/** The default token for a gateway whose port no other machine can reach. */
const LOCAL_GATEWAY_TOKEN = 'local';

/**
 * Reads the settings from the environment (docs/reference/settings.md has the table).
 *
 * @returns the settings, the effective value of each for the log, and the warnings about the environment
 * @throws ConfigError with all problems at once
 */
export function loadConfig(
  env: NodeJS.ProcessEnv,
  surroundings: Surroundings = { terminal: process.stdout.isTTY, cwd: process.cwd() },
): { config: Config; effective: EffectiveSetting[]; advice: Advice[] } {
  const { given, problems } = readSources(env, settingNotes, surroundings.cwd);
  const textOf = (name: string): string => given.get(name)?.text ?? '';
  const secrets = [...settingNotes].flatMap(([name, { secret }]) =>
    secret ? [textOf(name), env[name] ?? ''] : [],
  );

  const advice = [
    ...clampNumbers(given, settingNotes),
    ...adviseOnNames(env, settingNotes),
    ...adviseOnVersion(given, runtimeVersion),
  ];
  const texts = Object.fromEntries([...given].map(([name, { text }]) => [name, text]));
  const values = customCleanEnv(texts, settings, (cleaned) => cleaned, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors)) {
        const notes = settingNotes.get(name);
        // A text that could not be read has its own sentence already.
        if (notes && !problems.has(name)) {
          problems.set(name, describeProblem(name, notes, error, textOf(name), secrets));
        }
      }
    },
  });
  checkTogether(values, problems, env.NODE_ENV);
  const proxies = readProxies(values, problems, env);
  advice.push(...raiseBackoffCap(values, given, problems));
  if (problems.size > 0) {
    const names = [...settingNotes.keys(), 'HTTP_PROXY', 'HTTPS_PROXY'];
    throw new ConfigError(names.flatMap((name) => problems.get(name) ?? []));
  }

  const config = { ...toConfig(values, surroundings), proxies };
  return { config, effective: effectiveSettings(config, given), advice };
}

/** If the longest wait is shorter than the first one, the first one is used for both. */
function raiseBackoffCap(
  values: Values,
  given: Map<string, Given>,
  problems: ReadonlyMap<string, string>,
): Advice[] {
  const [first, longest] = ['DELIVERY_BACKOFF_BASE_MS', 'DELIVERY_BACKOFF_MAX_MS'] as const;
  if (problems.has(first) || problems.has(longest) || values[longest] >= values[first]) return [];
  const raised = formatDuration(values[first]);
  const message = `${longest}: less than ${first} (${formatDuration(values[longest])} and ${raised}), so it is taken as ${raised}; set at least as much`;
  given.set(longest, { text: raised, source: 'environment' });
  return [{ event: 'settings.clamped', name: longest, message }];
}

/** Settings that are right alone and wrong together. A setting that is wrong alone has its own sentence. */
function checkTogether(values: Values, problems: Map<string, string>, nodeEnv: string | undefined): void {
  const sound = (...names: (keyof typeof settings)[]): boolean => !names.some((name) => problems.has(name));

  if (sound('ACCOUNT_ID', 'SERVICE_TOKEN') && accountOf(values.SERVICE_TOKEN) !== values.ACCOUNT_ID) {
    problems.set(
      'SERVICE_TOKEN',
      'SERVICE_TOKEN: minted for another account than ACCOUNT_ID; set the token of this account, or correct ACCOUNT_ID',
    );
  }
  if (
    sound('INSPECTOR', 'INSPECTOR_IN_PRODUCTION') &&
    values.INSPECTOR === 'on' &&
    nodeEnv === 'production' &&
    values.INSPECTOR_IN_PRODUCTION === 'refuse'
  ) {
    problems.set(
      'INSPECTOR',
      'INSPECTOR: on, and NODE_ENV is production; set off, or INSPECTOR_IN_PRODUCTION=allow if that is meant',
    );
  }
  if (
    sound('OPENCLAW_GATEWAY_URL', 'OPENCLAW_GATEWAY_TOKEN') &&
    values.OPENCLAW_GATEWAY_TOKEN === undefined &&
    values.OPENCLAW_GATEWAY_URL !== '' &&
    !isLocal(values.OPENCLAW_GATEWAY_URL)
  ) {
    problems.set(
      'OPENCLAW_GATEWAY_TOKEN',
      `OPENCLAW_GATEWAY_TOKEN: not set, and the gateway at ${new URL(values.OPENCLAW_GATEWAY_URL).host} is on another ` +
        'machine; set OPENCLAW_GATEWAY_TOKEN or OPENCLAW_GATEWAY_TOKEN_FILE to its token',
    );
  }
}

/** A wrong address has its own sentence, so nothing is said about its proxy. */
function readProxies(values: Values, problems: Map<string, string>, env: NodeJS.ProcessEnv): Proxies {
  const proxyTo = (name: keyof typeof settings, url: string | undefined): string | null => {
    if (problems.has(name) || url === undefined || url === '') return null;
    try {
      return proxyFor(url, env);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      const variable = proxyVariable(url);
      problems.set(variable, `${variable}: ${error.message}; ${error.fix ?? 'correct it'}`);
      return null;
    }
  };
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: exact, OTEL_EXPORTER_OTLP_ENDPOINT: base } = values;
  return {
    convex: proxyTo('CONVEX_URL', values.CONVEX_URL),
    gateway: proxyTo('OPENCLAW_GATEWAY_URL', values.OPENCLAW_GATEWAY_URL),
    traces:
      exact === undefined
        ? proxyTo('OTEL_EXPORTER_OTLP_ENDPOINT', base)
        : proxyTo('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', exact),
  };
}

function toConfig(values: Values, { terminal, cwd }: Surroundings): Omit<Config, 'proxies'> {
  return {
    accountId: values.ACCOUNT_ID,
    convexUrl: values.CONVEX_URL,
    serviceToken: values.SERVICE_TOKEN,
    health: { host: values.HEALTH_HOST, port: values.HEALTH_PORT },
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT ?? (terminal ? 'pretty' : 'json') },
    delivery: {
      intervalMs: values.DELIVERY_INTERVAL,
      backoffBaseMs: values.DELIVERY_BACKOFF_BASE_MS,
      // Never less than the first wait (raiseBackoffCap says so).
      backoffMaxMs: Math.max(values.DELIVERY_BACKOFF_MAX_MS, values.DELIVERY_BACKOFF_BASE_MS),
      maxConcurrentSessions: values.DELIVERY_MAX_CONCURRENT_SESSIONS,
      listLimit: values.DELIVERY_LIST_LIMIT,
      chainLimit: values.AGENT_CHAIN_LIMIT,
    },
    wakeUp: values.WAKE_UP === 'auto',
    gateway:
      values.OPENCLAW_GATEWAY_URL === ''
        ? null
        : {
            url: values.OPENCLAW_GATEWAY_URL,
            token: values.OPENCLAW_GATEWAY_TOKEN ?? LOCAL_GATEWAY_TOKEN,
            requestTimeoutMs: values.OPENCLAW_REQUEST_TIMEOUT_MS,
          },
    stallAfterMs: values.STALL_AFTER,
    rosterFile: values.OPENCLAW_ROSTER_FILE === undefined ? null : resolve(cwd, values.OPENCLAW_ROSTER_FILE),
    openclawVersion: values.OPENCLAW_VERSION ?? null,
    runtimeVersion: values.RUNTIME_VERSION,
    agentTools: values.AGENT_TOOLS,
    tokenLimits:
      values.AGENT_TOKENS_PER_DAY === undefined ? NO_LIMITS : parseTokenLimits(values.AGENT_TOKENS_PER_DAY),
    followUps: values.FOLLOW_UPS === 'on',
    healthCheckIntervalMs: values.HEALTH_CHECK_INTERVAL,
    agentSyncIntervalMs: values.AGENT_SYNC_INTERVAL,
    // Without a roster there is nobody to publish them to.
    profileSyncIntervalMs:
      values.PROFILE_SYNC === 'on' && values.OPENCLAW_ROSTER_FILE !== undefined
        ? values.PROFILE_SYNC_INTERVAL
        : null,
    upgradeMode: values.UPGRADE_MODE,
    drainTimeoutMs: values.DRAIN_TIMEOUT_MS,
    upgradeDrainTimeoutMs: values.UPGRADE_DRAIN_TIMEOUT_MS,
    stateDir: resolve(cwd, values.STATE_DIR),
    journal: values.JOURNAL,
    stateLockWaitMs: values.STATE_LOCK_WAIT,
    droplet: { id: values.DROPLET_ID, ip: values.DROPLET_IP, region: values.DROPLET_REGION },
    traces: tracesConfig(values),
    showTexts: values.INSPECTOR_TEXT === 'on',
    inspector:
      values.INSPECTOR === 'on' ? { host: values.INSPECTOR_HOST, port: values.INSPECTOR_PORT } : null,
  };
}
