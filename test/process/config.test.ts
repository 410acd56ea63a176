import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { settings } from '../../src/config/settings.ts';
import { spawnRuntime, startRuntime, temporaryDirectory, type Exit } from '../kits/runtime.ts';
import { freePort } from '../../src/local/free-port.ts';

const SECRET = 'f00dfeed'.repeat(8);
const SOUND = {
  ACCOUNT_ID: 'acc1',
  // Nobody listens there, so a test that gets as far as a call reaches nothing outside.
  CONVEX_URL: 'http://127.0.0.1:1',
  SERVICE_TOKEN: `mc_service_acc1_${SECRET}`,
};

/** For each setting a value that is wrong, and what the complaint says. */
const WRONG: Record<keyof typeof settings, [value: string, complaint: string]> = {
  ACCOUNT_ID: ['acc_1', 'an id without white space and underscores'],
  CONVEX_URL: ['happy-otter-123.convex.cloud', 'not an http or https address'],
  SERVICE_TOKEN: [`mc_service_other_${SECRET}`, 'minted for another account'],
  HEALTH_HOST: ['localhost:3000', 'without a port'],
  HEALTH_PORT: ['65536', 'a whole number from 0 to 65535'],
  LOG_LEVEL: ['verbose', 'debug, info, warn, error'],
  LOG_FORMAT: ['xml', 'json, pretty'],
  DELIVERY_INTERVAL: ['often', 'not a duration'],
  WAKE_UP: ['on', 'auto, off'],
  DELIVERY_BACKOFF_BASE_MS: ['soon', 'not a duration'],
  DELIVERY_BACKOFF_MAX_MS: ['1.5s', 'not a duration'],
  DELIVERY_MAX_CONCURRENT_SESSIONS: ['ten', 'a whole number from 1 to 1000'],
  DELIVERY_LIST_LIMIT: ['all', 'a whole number from 1 to 500'],
  OPENCLAW_GATEWAY_URL: [`http://user:${SECRET}@127.0.0.1`, 'credentials'],
  OPENCLAW_GATEWAY_TOKEN: [`two words ${SECRET}`, 'not one word'],
  OPENCLAW_REQUEST_TIMEOUT_MS: ['2d', 'not a duration'],
  STALL_AFTER: ['now', 'not a duration'],
  OPENCLAW_ROSTER_FILE: ['/roster/\u0007', 'a path'],
  OPENCLAW_VERSION: ['2026.9.6\u007f', 'printable'],
  RUNTIME_VERSION: ['version ä', 'printable'],
  HEALTH_CHECK_INTERVAL: ['never', 'not a duration'],
  AGENT_CHAIN_LIMIT: ['many', 'a whole number from 0 to 40'],
  AGENT_TOOLS: ['some', 'one of on, read, off'],
  FOLLOW_UPS: ['maybe', 'one of on, off'],
  AGENT_TOKENS_PER_DAY: ['engineer=lots', 'not a number of tokens'],
  AGENT_SYNC_INTERVAL: ['-1s', 'not a duration'],
  PROFILE_SYNC: ['maybe', 'on, off'],
  PROFILE_SYNC_INTERVAL: ['-1s', 'not a duration'],
  UPGRADE_MODE: ['auto', 'exit, notify'],
  DRAIN_TIMEOUT_MS: ['none', 'not a duration'],
  UPGRADE_DRAIN_TIMEOUT_MS: ['1e9', 'not a duration'],
  STATE_DIR: ['/srv/\u0007', 'a path'],
  JOURNAL: ['never', 'required, optional'],
  STATE_LOCK_WAIT: ['soon', 'not a duration'],
  INSPECTOR: ['stately', 'left out'],
  INSPECTOR_HOST: ['all:9230', 'without a port'],
  INSPECTOR_PORT: ['-1', 'a whole number from 0 to 65535'],
  INSPECTOR_TEXT: ['some', 'on, off'],
  INSPECTOR_IN_PRODUCTION: ['yes', 'refuse, allow'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['collector:4318', 'not an http or https address'],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: [`https://user:${SECRET}@collector`, 'OTEL_EXPORTER_OTLP_HEADERS'],
  OTEL_EXPORTER_OTLP_PROTOCOL: ['grpc', 'one of http/protobuf, http/json'],
  OTEL_EXPORTER_OTLP_HEADERS: [SECRET, 'not a list of name=value'],
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: [`=${SECRET}`, 'not a list of name=value'],
  OTEL_SERVICE_NAME: ['\u00e9', 'printable'],
  OTEL_RESOURCE_ATTRIBUTES: ['production', 'not a list of name=value'],
  OTEL_TRACES_SAMPLER: ['jaeger_remote', 'always_on, always_off'],
  OTEL_TRACES_SAMPLER_ARG: ['10%', 'not a number from 0 to 1'],
  DROPLET_ID: ['x'.repeat(201), 'up to 200'],
  DROPLET_IP: ['\u00e9', 'printable'],
  DROPLET_REGION: ['\u00e9', 'printable'],
};

/** Runs the process to its end. */
async function run(env: Record<string, string>, args: string[] = []) {
  const runtime = spawnRuntime({ env, args });
  const { code, signal }: Exit = await runtime.exited;
  return { ...runtime, code, signal, out: runtime.stdout(), err: runtime.stderr() };
}

/** What every refusal has in common: words for an operator, and no secret. */
function expectRefusal({ code, out, err }: { code: number | null; out: string; err: string }): void {
  expect(code).toBe(78);
  expect(out).toBe('');
  expect(err).not.toContain(SECRET);
  expect(err).not.toMatch(/\n\s+at |Error:/);
}

const linesAbout = (name: string, text: string): string[] =>
  text.split('\n').filter((line) => line.trim().startsWith(`${name}:`));

describe('a wrong setting', () => {
  test.each(Object.keys(settings))('%s: exit 78 and one line that says what to set', async (name) => {
    const wrong = new Map(Object.entries(WRONG)).get(name);
    expect(wrong, `${name} is new: add a wrong value for it above`).toBeDefined();
    const [value = '', complaint = ''] = wrong ?? [];
    const ended = await run({ ...SOUND, [name]: value });
    expectRefusal(ended);
    expect(ended.err).toMatch(/^One setting is wrong:\n/);
    expect(linesAbout(name, ended.err)).toEqual([expect.stringContaining(complaint)]);
    expect(ended.err.trimEnd().split('\n')).toHaveLength(2);
  });

  test('is named together with every other wrong or missing one', async () => {
    const ended = await run({ SERVICE_TOKEN: SECRET, HEALTH_PORT: 'x', UPGRADE_MODE: 'auto' });
    expectRefusal(ended);
    expect(ended.err).toMatch(/^5 settings are wrong:\n/);
    for (const name of ['ACCOUNT_ID', 'CONVEX_URL', 'SERVICE_TOKEN', 'HEALTH_PORT', 'UPGRADE_MODE']) {
      expect(linesAbout(name, ended.err)).toHaveLength(1);
    }
  });

  test('is a secret that is set twice, or a secret in the place of its file name', async () => {
    const file = join(temporaryDirectory(), 'token');
    writeFileSync(file, SOUND.SERVICE_TOKEN);
    const both = await run({ ...SOUND, SERVICE_TOKEN_FILE: file });
    expectRefusal(both);
    expect(linesAbout('SERVICE_TOKEN', both.err)).toEqual([expect.stringContaining('keep one of the two')]);
    const misplaced = await run({ ...SOUND, OPENCLAW_GATEWAY_TOKEN_FILE: SECRET });
    expectRefusal(misplaced);
    expect(misplaced.err).toContain('OPENCLAW_GATEWAY_TOKEN_FILE');
  });

  test('a gateway on another machine needs its token', async () => {
    const ended = await run({ ...SOUND, OPENCLAW_GATEWAY_URL: 'https://gateway.example.com' });
    expectRefusal(ended);
    expect(linesAbout('OPENCLAW_GATEWAY_TOKEN', ended.err)).toEqual([
      expect.stringContaining('gateway.example.com'),
    ]);
  });
});

test('the settings of the earlier runtime: it starts, and says once what differs', async () => {
  const earlier = readFileSync(join(import.meta.dirname, '../kits/samples/earlier-runtime-env.txt'), 'utf8');
  const env = Object.fromEntries(
    Object.entries(parseEnv(earlier)).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
  const runtime = await startRuntime({ env: { ...env, HEALTH_PORT: '0' } });
  const warned = runtime.log.filter(({ event }) => event.startsWith('settings.'));
  expect(warned.map(({ level, setting }) => `${level} ${String(setting)}`).sort()).toEqual([
    'warn DELIVERY_CONTEXT_FETCH_BATCH_SIZE',
    'warn DELIVERY_STREAM_TIMEOUT_MS',
    'warn HEALTH_CHECK_INTERVAL',
    'warn OPENCLAW_CLIENT_TOOLS_ENABLED',
    'warn OPENCLAW_PROFILE_SYNC',
    'warn OPENCLAW_WORKSPACE_ROOT',
    'warn RUNTIME_VERSION',
    'warn TASK_STATUS_BASE_URL',
  ]);
  expect(runtime.stdout() + runtime.stderr()).not.toContain('vck_example');
  runtime.kill('SIGTERM');
  expect((await runtime.exited).code).toBe(0);
});

describe('the command line', () => {
  test('--help lists every setting', async () => {
    const { code, out, err } = await run({}, ['--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const name of Object.keys(settings)) expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });

  test('--version tells the version of the package', async () => {
    const { code, out, err } = await run({}, ['--version']);
    const manifest: unknown = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
    );
    const [, version] = /^openclaw-mission-control-runtime (\S+)\n$/.exec(out) ?? [];
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(manifest).toMatchObject({ version });
  });

  test('an unknown argument is refused, without its value', async () => {
    const ended = await run(SOUND, [`--service-token=${SECRET}`]);
    expectRefusal(ended);
    expect(ended.err).toMatch(/^Unknown argument --service-token: .*--help.*\n$/);
  });
});

describe('a place that is taken', () => {
  test('the health port: exit 71', async () => {
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { code, log, noise, err } = await run({ ...SOUND, HEALTH_PORT: String(port) });
    expect({ code, noise, err }).toEqual({ code: 71, noise: [], err: '' });
    const told = log.find(({ level }) => level === 'error');
    expect(told?.message).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}: the port is taken\\..*HEALTH_PORT`));
    expect(log.at(-1)).toMatchObject({ event: 'runtime.stopped', exitCode: 71, message: told?.message });
  });

  test('STATE_DIR: exit 78 and the other process’s id', async () => {
    const first = await startRuntime({ env: SOUND });
    const second = await run({ ...SOUND, STATE_DIR: first.stateDir, STATE_LOCK_WAIT: '0' });
    expectRefusal(second);
    expect(second.err).toContain(`STATE_DIR (${first.stateDir})`);
    expect(second.err).toContain(`process ${first.pid}`);
    // The first one does not notice.
    expect((await first.get('/livez')).status).toBe(200);
  });
});

describe('a STATE_DIR that cannot be used: exit 78', () => {
  test('a file', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const ended = await run({ ...SOUND, STATE_DIR: file });
    expectRefusal(ended);
    expect(ended.err).toContain(`STATE_DIR (${file})`);
  });

  test('below a file', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    expectRefusal(await run({ ...SOUND, STATE_DIR: join(file, 'state') }));
  });

  // This is the one place where even root may not write.
  test.runIf(process.platform === 'linux')('a place where nobody can make one', async () => {
    const ended = await run({ ...SOUND, STATE_DIR: '/sys/mission-control' });
    expectRefusal(ended);
    expect(ended.err).toContain('must be a directory that the runtime may write to');
  });

  test.skipIf(process.getuid?.() === 0)('a directory that is read-only', async () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o500);
    expectRefusal(await run({ ...SOUND, STATE_DIR: directory }));
  });
});
