import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadConfig } from './config.ts';

const REQUIRED = {
  ACCOUNT_ID: 'acc1',
  CONVEX_URL: 'https://happy-otter-123.convex.cloud',
  SERVICE_TOKEN: 'mc_service_acc1_0123456789abcdef',
};
const EARLIER = join(import.meta.dirname, '../../test/kits/samples/earlier-runtime-env.txt');

const load = (env: NodeJS.ProcessEnv) =>
  loadConfig({ ...REQUIRED, ...env }, { terminal: false, cwd: '/srv' });

const told = (env: NodeJS.ProcessEnv): string[] => load(env).advice.map(({ message }) => message);

describe('a number out of range', () => {
  it.each([
    [
      'HEALTH_CHECK_INTERVAL',
      '300000',
      '1m',
      'too long (got "300000"), so it is taken as 1m; set a duration from',
    ],
    ['HEALTH_CHECK_INTERVAL', '10ms', '1s', 'too short'],
    ['DELIVERY_INTERVAL', '999', '1s', 'too short'],
    ['DELIVERY_INTERVAL', '25h', '24h', 'too long'],
    ['DELIVERY_BACKOFF_BASE_MS', '0', '1ms', 'too short'],
    [
      'DELIVERY_MAX_CONCURRENT_SESSIONS',
      '0',
      '1',
      'too small (got "0"), so it is taken as 1; set a whole number',
    ],
    ['DELIVERY_MAX_CONCURRENT_SESSIONS', '1001', '1000', 'too large'],
    ['DELIVERY_LIST_LIMIT', '-3', '1', 'too small'],
    ['DELIVERY_LIST_LIMIT', '501', '500', 'too large'],
    ['OPENCLAW_REQUEST_TIMEOUT_MS', '4999', '5s', 'too short'],
    ['OPENCLAW_REQUEST_TIMEOUT_MS', '2h', '1h', 'too long'],
    ['AGENT_SYNC_INTERVAL', '9'.repeat(40), '2147483647ms', 'too long'],
  ])('%s=%s is taken as %s, with one warning', (name, text, value, complaint) => {
    const { effective, advice } = load({ [name]: text });
    expect(effective.find((one) => one.name === name)).toMatchObject({ value, source: 'environment' });
    expect(advice.map((one) => [one.event, one.name])).toEqual([['settings.clamped', name]]);
    expect(advice[0]?.message).toContain(`${name}: ${complaint}`);
  });

  it('is also a longest wait below the first one: the first one counts for both', () => {
    const { config, advice } = load({ DELIVERY_BACKOFF_BASE_MS: '90s' });
    expect(config.delivery).toMatchObject({ backoffBaseMs: 90_000, backoffMaxMs: 90_000 });
    expect(advice.map(({ message }) => message)).toEqual([
      'DELIVERY_BACKOFF_MAX_MS: less than DELIVERY_BACKOFF_BASE_MS (1m and 90s), so it is taken as 90s; set at least as much',
    ]);
  });
});

describe('a name that is no setting', () => {
  it.each([
    ['DELIVERY_INTERVALL', 'DELIVERY_INTERVAL'],
    ['HEALTH_PROT', 'HEALTH_PORT'],
    ['SERVICE_TOKEN_FIEL', 'SERVICE_TOKEN_FILE'],
    ['health_port', 'HEALTH_PORT'],
    ['OPENCLAW_GATWAY_URL', 'OPENCLAW_GATEWAY_URL'],
  ])('%s is left alone, and %s is named', (name, meant) => {
    expect(told({ [name]: '5s' })).toEqual([
      `${name}: there is no such setting, so it is left alone; did you mean ${meant}?`,
    ]);
  });

  it.each([
    'PATH',
    'LOGLEVEL',
    'JOURNAL_STREAM',
    'STATE_DIRECTORY',
    'OPENCLAW_GATEWAY_PORT',
    'OPENCLAW_MODEL',
    'RUNTIME_IMAGE',
    'RUNTIME_MEMORY',
    'GATEWAY_PORT',
    'CONVEX_DEPLOYMENT',
    'npm_config_loglevel',
  ])('%s is of another program: nothing is said', (name) => {
    expect(told({ [name]: 'x' })).toEqual([]);
  });

  it('is not told of where it is empty', () => {
    expect(told({ DELIVERY_INTERVALL: '', TASK_STATUS_BASE_URL: ' ' })).toEqual([]);
  });
});

it('the settings of the earlier runtime start this one, and each that differs is named once', () => {
  const env = parseEnv(readFileSync(EARLIER, 'utf8'));
  const { config, advice } = load(env);
  expect(config).toMatchObject({
    accountId: 'acc1',
    health: { host: '127.0.0.1', port: 3000 },
    healthCheckIntervalMs: 60_000,
    gateway: { url: 'http://127.0.0.1:18789', token: 'local', requestTimeoutMs: 300_000 },
  });
  expect(advice.map(({ event, name }) => `${event} ${name}`).sort()).toEqual([
    'settings.clamped HEALTH_CHECK_INTERVAL',
    'settings.retired DELIVERY_CONTEXT_FETCH_BATCH_SIZE',
    'settings.retired DELIVERY_STREAM_TIMEOUT_MS',
    'settings.retired OPENCLAW_CLIENT_TOOLS_ENABLED',
    'settings.retired OPENCLAW_PROFILE_SYNC',
    'settings.retired OPENCLAW_WORKSPACE_ROOT',
    'settings.retired TASK_STATUS_BASE_URL',
    'settings.version RUNTIME_VERSION',
  ]);
});
