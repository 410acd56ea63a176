import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runtimeVersion } from '../version.ts';
import { loadConfig, type Config } from './config.ts';
import { ConfigError } from './errors.ts';
import { settingNotes } from './settings.ts';

const REQUIRED = {
  ACCOUNT_ID: 'acc1',
  CONVEX_URL: 'https://happy-otter-123.convex.cloud',
  SERVICE_TOKEN: 'mc_service_acc1_0123456789abcdef',
};

const pipe = { terminal: false, cwd: '/srv' };

const load = (env: NodeJS.ProcessEnv): Config => loadConfig({ ...REQUIRED, ...env }, pipe).config;

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig({ ...REQUIRED, ...env }, pipe);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('the defaults', () => {
  it('need three settings and nothing more', () => {
    expect(load({})).toEqual({
      accountId: 'acc1',
      convexUrl: 'https://happy-otter-123.convex.cloud',
      serviceToken: 'mc_service_acc1_0123456789abcdef',
      health: { host: '127.0.0.1', port: 3000 },
      log: { level: 'info', format: 'json' },
      delivery: {
        intervalMs: 15_000,
        backoffBaseMs: 5_000,
        backoffMaxMs: 60_000,
        maxConcurrentSessions: 10,
        listLimit: 50,
        chainLimit: 12,
      },
      gateway: { url: 'http://127.0.0.1:18789', token: 'local', requestTimeoutMs: 600_000 },
      rosterFile: null,
      openclawVersion: null,
      runtimeVersion,
      healthCheckIntervalMs: 30_000,
      stallAfterMs: 300_000,
      tokenLimits: { all: null, bySlug: {} },
      agentTools: 'on',
      followUps: true,
      agentSyncIntervalMs: 300_000,
      profileSyncIntervalMs: null,
      proxies: { convex: null, gateway: null, traces: null },
      traces: null,
      wakeUp: true,
      upgradeMode: 'exit',
      drainTimeoutMs: 25_000,
      upgradeDrainTimeoutMs: 600_000,
      stateDir: resolve('/srv/.runtime/state'),
      showTexts: true,
      inspector: null,
      journal: 'required',
      stateLockWaitMs: 60_000,
      droplet: { id: 'unknown', ip: 'unknown', region: 'unknown' },
    });
  });

  it('are pretty on a terminal', () => {
    const { config } = loadConfig(REQUIRED, { terminal: true, cwd: '/srv' });
    expect(config.log.format).toBe('pretty');
  });
});

describe('each setting', () => {
  it.each<[name: string, text: string, read: (config: Config) => unknown, value: unknown]>([
    ['CONVEX_URL', 'http://127.0.0.1:3210/', (c) => c.convexUrl, 'http://127.0.0.1:3210'],
    ['CONVEX_URL', 'https://example.com/convex/', (c) => c.convexUrl, 'https://example.com/convex'],
    ['HEALTH_HOST', '0.0.0.0', (c) => c.health.host, '0.0.0.0'],
    ['HEALTH_HOST', '::1', (c) => c.health.host, '::1'],
    ['HEALTH_HOST', 'localhost', (c) => c.health.host, 'localhost'],
    ['HEALTH_PORT', '0', (c) => c.health.port, 0],
    ['HEALTH_PORT', '65535', (c) => c.health.port, 65_535],
    ['LOG_LEVEL', 'debug', (c) => c.log.level, 'debug'],
    ['LOG_LEVEL', 'WARN', (c) => c.log.level, 'warn'],
    ['LOG_FORMAT', 'pretty', (c) => c.log.format, 'pretty'],
    ['DELIVERY_INTERVAL', '1000', (c) => c.delivery.intervalMs, 1_000],
    ['DELIVERY_INTERVAL', '24h', (c) => c.delivery.intervalMs, 86_400_000],
    ['DELIVERY_BACKOFF_BASE_MS', '1', (c) => c.delivery.backoffBaseMs, 1],
    ['DELIVERY_BACKOFF_MAX_MS', '2147483647', (c) => c.delivery.backoffMaxMs, 2_147_483_647],
    ['DELIVERY_MAX_CONCURRENT_SESSIONS', '1', (c) => c.delivery.maxConcurrentSessions, 1],
    ['DELIVERY_MAX_CONCURRENT_SESSIONS', '1000', (c) => c.delivery.maxConcurrentSessions, 1_000],
    ['DELIVERY_LIST_LIMIT', '500', (c) => c.delivery.listLimit, 500],
    [
      'OPENCLAW_GATEWAY_URL',
      'http://openclaw-gateway:18789',
      (c) => c.gateway?.url,
      'http://openclaw-gateway:18789',
    ],
    ['OPENCLAW_GATEWAY_URL', '', (c) => c.gateway, null],
    ['OPENCLAW_GATEWAY_URL', '""', (c) => c.gateway, null],
    ['OPENCLAW_GATEWAY_TOKEN', 'my"own\\token', (c) => c.gateway?.token, 'my"own\\token'],
    ['OPENCLAW_GATEWAY_TOKEN', '', (c) => c.gateway?.token, 'local'],
    ['OPENCLAW_REQUEST_TIMEOUT_MS', '5s', (c) => c.gateway?.requestTimeoutMs, 5_000],
    ['OPENCLAW_REQUEST_TIMEOUT_MS', '1h', (c) => c.gateway?.requestTimeoutMs, 3_600_000],
    ['OPENCLAW_VERSION', '2026.9.6', (c) => c.openclawVersion, '2026.9.6'],
    ['RUNTIME_VERSION', '9.9.9', (c) => c.runtimeVersion, '9.9.9'],
    ['HEALTH_CHECK_INTERVAL', '1m', (c) => c.healthCheckIntervalMs, 60_000],
    ['AGENT_SYNC_INTERVAL', '1s', (c) => c.agentSyncIntervalMs, 1_000],
    ['AGENT_TOOLS', 'read', (c) => c.agentTools, 'read'],
    ['AGENT_CHAIN_LIMIT', '0', (c) => c.delivery.chainLimit, 0],
    ['FOLLOW_UPS', 'off', (c) => c.followUps, false],
    ['UPGRADE_MODE', 'notify', (c) => c.upgradeMode, 'notify'],
    ['DRAIN_TIMEOUT_MS', '1', (c) => c.drainTimeoutMs, 1],
    ['UPGRADE_DRAIN_TIMEOUT_MS', '2h', (c) => c.upgradeDrainTimeoutMs, 7_200_000],
    ['STATE_DIR', 'var', (c) => c.stateDir, resolve('/srv/var')],
    ['STATE_DIR', '/data/state', (c) => c.stateDir, resolve('/data/state')],
    ['JOURNAL', 'optional', (c) => c.journal, 'optional'],
    ['STATE_LOCK_WAIT', '5s', (c) => c.stateLockWaitMs, 5_000],
    ['DROPLET_ID', '42', (c) => c.droplet.id, '42'],
    ['DROPLET_IP', '10.0.0.1', (c) => c.droplet.ip, '10.0.0.1'],
    ['DROPLET_REGION', 'fra1', (c) => c.droplet.region, 'fra1'],
    // Every setting alike: an empty one is not set, and neither white space nor quotes belong to it.
    ['HEALTH_PORT', '', (c) => c.health.port, 3000],
    ['HEALTH_PORT', ' "8080"\n', (c) => c.health.port, 8080],
    ['LOG_LEVEL', "'warn'", (c) => c.log.level, 'warn'],
  ])('%s=%j is taken', (name, text, read, value) => {
    expect(read(load({ [name]: text }))).toEqual(value);
  });

  it.each([
    ['ACCOUNT_ID', 'acc_1', 'not an account id (got "acc_1")'],
    ['ACCOUNT_ID', 'acc 1', 'not an account id (got "acc 1")'],
    ['CONVEX_URL', 'localhost:3210', 'not an http or https address (got "localhost:3210")'],
    ['CONVEX_URL', 'ftp://example.com', 'not an http or https address (got "ftp://example.com")'],
    ['CONVEX_URL', 'https://a.convex.site', 'set the one of the same name that ends in .convex.cloud'],
    ['CONVEX_URL', 'https://a.convex.cloud/?x=1', 'a query or a fragment (not shown'],
    ['SERVICE_TOKEN', 'service_acc1_x', 'does not begin with mc_service_;'],
    ['SERVICE_TOKEN', 'mc_service_acc1', 'lacks its account or its secret;'],
    ['SERVICE_TOKEN', 'mc_service__x', 'lacks its account or its secret;'],
    ['SERVICE_TOKEN', 'mc_service_acc1_', 'lacks its account or its secret;'],
    ['SERVICE_TOKEN', 'mc_service_acc1_a b', 'not one word of printable ASCII characters;'],
    ['SERVICE_TOKEN', `mc_service_acc1_${'x'.repeat(497)}`, 'longer than 512 characters;'],
    ['SERVICE_TOKEN', 'mc_service_acc2_x', 'minted for another account than ACCOUNT_ID;'],
    ['HEALTH_HOST', 'http://localhost', 'not an address to listen on'],
    ['HEALTH_HOST', '127.0.0.1:3000', 'not an address to listen on'],
    ['HEALTH_HOST', '999.0.0.1', 'not an address to listen on'],
    ['HEALTH_PORT', '65536', 'not a port (got "65536"); set a whole number from 0 to 65535'],
    ['HEALTH_PORT', '-1', 'not a port (got "-1")'],
    ['HEALTH_PORT', '80.0', 'not a port (got "80.0")'],
    ['HEALTH_PORT', '1e3', 'not a port (got "1e3")'],
    ['LOG_LEVEL', 'verbose', 'not a known choice (got "verbose"); set one of debug, info, warn, error'],
    ['LOG_FORMAT', 'text', 'not a known choice (got "text"); set one of json, pretty'],
    ['OPENCLAW_GATEWAY_URL', 'ws://127.0.0.1:18789', 'not an http or https address'],
    ['OPENCLAW_GATEWAY_TOKEN', 'two words', 'not one word of printable ASCII characters;'],
    ['OPENCLAW_VERSION', 'v1\u0007', 'not a plain name (got "v1\\u0007")'],
    ['RUNTIME_VERSION', 'x'.repeat(201), 'not a plain name'],
    ['AGENT_SYNC_INTERVAL', '25d', 'not a duration (got "25d")'],
    ['UPGRADE_MODE', 'restart', 'not a known choice (got "restart"); set one of exit, notify'],
    ['UPGRADE_DRAIN_TIMEOUT_MS', 'soon', 'not a duration (got "soon")'],
    ['STATE_DIR', 'a\nb', 'not a path (got "a\\nb")'],
    ['JOURNAL', 'none', 'not a known choice (got "none")'],
    ['DROPLET_ID', 'né', 'not a plain name'],
    ['DROPLET_IP', 'é', 'not a plain name'],
    ['DROPLET_REGION', 'é', 'not a plain name'],
  ])('%s=%j is refused', (name, text, complaint) => {
    const problems = problemsOf({ [name]: text });
    expect(problems).toEqual([expect.stringContaining(complaint)]);
    expect(problems[0]).toMatch(new RegExp(`^${name}: .+; set `));
  });

  it.each(['ACCOUNT_ID', 'CONVEX_URL', 'SERVICE_TOKEN'])('%s is required', (name) => {
    expect(problemsOf({ [name]: ' ' })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: not set; set `)),
    ]);
  });
});

describe('settings together', () => {
  it('are all complained about at once, in the order of the table', () => {
    const env = Object.fromEntries([...settingNotes.keys()].map((name) => [name, '\u0000']));
    expect(problemsOf(env).map((problem) => problem.split(':')[0])).toEqual([...settingNotes.keys()]);
  });

  it.each([
    'http://127.0.0.1:1',
    'http://127.8.8.8',
    'http://localhost',
    'http://gw.localhost',
    'http://[::1]:18789',
    'http://openclaw-gateway:18789',
    'https://host.docker.internal',
  ])('let the gateway at %s go without a token', (url) => {
    expect(load({ OPENCLAW_GATEWAY_URL: url }).gateway?.token).toBe('local');
  });

  it.each([
    'https://gw.example.com',
    'http://10.0.0.5:18789',
    'http://128.0.0.1',
    'http://[fe80::1]',
    'http://127.0.0.1.nip.io',
  ])('want a token for the gateway at %s', (url) => {
    expect(problemsOf({ OPENCLAW_GATEWAY_URL: url })).toEqual([
      expect.stringMatching(
        /^OPENCLAW_GATEWAY_TOKEN: not set, and the gateway at \S+ is on another machine; set /,
      ),
    ]);
    expect(load({ OPENCLAW_GATEWAY_URL: url, OPENCLAW_GATEWAY_TOKEN: 'abc' }).gateway?.token).toBe('abc');
  });
});

describe('the effective settings', () => {
  it('tell in the order of the table what was understood and where it came from, without the secrets', () => {
    const { effective } = loadConfig(
      { ...REQUIRED, DELIVERY_INTERVAL: '60000', OPENCLAW_GATEWAY_URL: '' },
      pipe,
    );
    expect(effective.map(({ name }) => name)).toEqual([...settingNotes.keys()]);
    expect(effective).toEqual(
      expect.arrayContaining([
        { name: 'SERVICE_TOKEN', value: '***', source: 'environment' },
        { name: 'DELIVERY_INTERVAL', value: '1m', source: 'environment' },
        { name: 'DELIVERY_LIST_LIMIT', value: '50', source: 'default' },
        { name: 'LOG_FORMAT', value: 'json', source: 'default' },
        { name: 'OPENCLAW_GATEWAY_URL', value: 'none', source: 'environment' },
        { name: 'OPENCLAW_GATEWAY_TOKEN', value: '***', source: 'default' },
        { name: 'OPENCLAW_VERSION', value: 'asked of the gateway', source: 'default' },
        { name: 'RUNTIME_VERSION', value: runtimeVersion, source: 'default' },
        { name: 'STATE_DIR', value: resolve('/srv/.runtime/state'), source: 'default' },
      ]),
    );
    expect(JSON.stringify(effective)).not.toContain('0123456789abcdef');
  });
});
