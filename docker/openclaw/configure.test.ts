import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseRoster } from './agents.ts';
import { configure } from './configure.ts';
import { at, type JsonObject } from './json.ts';

const template = JSON.parse(
  readFileSync(join(import.meta.dirname, 'openclaw.json.template'), 'utf8'),
) as JsonObject;

const start = (env: Record<string, string>, existing: JsonObject | null = null) =>
  configure({ template, existing, env, secretsFile: '/run/s.json', roster: null, workspaces: '/ws' });

const SECRETS = {
  ANTHROPIC_API_KEY: 'secret-1',
  OPENAI_API_KEY: 'secret-2',
  CUSTOM_MODEL_API_KEY: 'secret-3',
  TELEGRAM_BOT_TOKEN: 'secret-4',
  DISCORD_BOT_TOKEN: 'secret-5',
  SLACK_BOT_TOKEN: 'secret-6',
  SLACK_APP_TOKEN: 'secret-7',
  OPENCLAW_GATEWAY_TOKEN: 'secret-8',
};

test('no secret is written: the configuration refers to the file that holds them', () => {
  const config = start({
    ...SECRETS,
    ANTHROPIC_BASE_URL: 'http://a',
    OPENAI_BASE_URL: 'http://o',
    CUSTOM_MODEL_BASE_URL: 'http://c',
    CUSTOM_MODELS: 'm1',
  });
  const text = JSON.stringify(config);
  expect(text).not.toContain('secret-');
  for (const name of Object.keys(SECRETS)) {
    expect(text).toContain(JSON.stringify({ source: 'file', provider: 'mission-control', id: `/${name}` }));
    expect(text).not.toContain(`\${${name}}`);
  }
  expect(at(config, 'secrets', 'providers', 'mission-control')).toEqual({
    source: 'file',
    path: '/run/s.json',
    mode: 'json',
  });
});

test('without any variable it is a gateway that wants a token and answers the runtime', () => {
  const config = start({});
  expect(config['gateway']).toMatchObject({
    mode: 'local',
    bind: 'lan',
    auth: { mode: 'token', token: { source: 'file', id: '/OPENCLAW_GATEWAY_TOKEN' } },
    http: { endpoints: { responses: { enabled: true } } },
    controlUi: { allowedOrigins: ['http://localhost:18789', 'http://127.0.0.1:18789'] },
  });
  expect(at(config, 'agents', 'defaults', 'model')).toBeUndefined();
});

test('an endpoint brings its models; the first is the default, unless another is asked for', () => {
  const env = { CUSTOM_MODEL_BASE_URL: 'http://c', CUSTOM_MODELS: 'm1, m2', CUSTOM_EXTRA_MODELS: 'm3' };
  const config = start(env);
  expect(at(config, 'models', 'providers', 'custom', 'models')).toEqual(
    ['m1', 'm2', 'm3'].map((id) => ({ id, name: id })),
  );
  expect(at(config, 'agents', 'defaults', 'model', 'primary')).toBe('custom/m1');
  const other = start({ ...env, OPENCLAW_MODEL: 'anthropic/x' });
  expect(at(other, 'agents', 'defaults', 'model', 'primary')).toBe('anthropic/x');
});

test('what goes from the environment goes from the configuration; what somebody changed stays', () => {
  const before = start({
    CUSTOM_MODEL_BASE_URL: 'http://c',
    CUSTOM_MODELS: 'm1',
    TELEGRAM_BOT_TOKEN: 't',
  });
  const edited = { ...before, tools: { profile: 'coding' }, meta: { lastTouchedVersion: '1' } };
  const after = start({}, edited);
  expect(at(after, 'channels', 'telegram')).toBeUndefined();
  expect(at(after, 'models', 'providers', 'custom')).toBeUndefined();
  expect(at(after, 'agents', 'defaults', 'model')).toBeUndefined();
  expect(after).toMatchObject({ tools: { profile: 'coding' }, meta: { lastTouchedVersion: '1' } });
});

test('what an earlier version wrote becomes a reference, and goes with its secret', () => {
  const earlier = {
    gateway: { auth: { token: '${OPENCLAW_GATEWAY_TOKEN}' } },
    models: { providers: { openai: { baseUrl: 'http://o', apiKey: '${OPENAI_API_KEY}' } } },
    channels: { discord: { enabled: true, token: '${DISCORD_BOT_TOKEN}' } },
  };
  const config = start({ OPENAI_API_KEY: 'secret-2' }, earlier);
  expect(at(config, 'models', 'providers', 'openai', 'apiKey')).toMatchObject({ id: '/OPENAI_API_KEY' });
  expect(at(config, 'gateway', 'auth', 'token')).toMatchObject({ id: '/OPENCLAW_GATEWAY_TOKEN' });
  expect(at(config, 'channels', 'discord')).toBeUndefined();
});

test('the environment wins over what was there, and a second start changes nothing more', () => {
  const loose = { gateway: { bind: 'loopback', auth: { mode: 'none' } } };
  const config = start({ OPENCLAW_GATEWAY_BIND: 'lan' }, loose);
  expect(at(config, 'gateway', 'auth', 'mode')).toBe('token');
  expect(start({ OPENCLAW_GATEWAY_BIND: 'lan' }, config)).toEqual(config);
});

test('the agents of the roster are there from the first moment', () => {
  const roster = parseRoster('{"agents":[{"slug":"qa","name":"QA"}]}');
  const config = configure({
    template,
    existing: null,
    env: {},
    secretsFile: '/run/s.json',
    roster,
    workspaces: '/ws',
  });
  expect(at(config, 'agents', 'entries', 'qa')).toEqual({ name: 'QA', workspace: '/ws/qa' });
  expect(at(config, 'agents', 'entries', 'main')).toBeDefined();
});

test('who may write to a bot is said as OpenClaw wants it', () => {
  const telegram = (more: Record<string, string>) =>
    at(start({ TELEGRAM_BOT_TOKEN: 't', ...more }), 'channels', 'telegram');
  expect(telegram({})).toMatchObject({ dmPolicy: 'pairing' });
  expect(telegram({ TELEGRAM_DM_POLICY: 'open' })).toMatchObject({ dmPolicy: 'open', allowFrom: ['*'] });
  expect(telegram({ TELEGRAM_DM_POLICY: 'allowlist', TELEGRAM_DM_ALLOW_FROM: '1, 2' })).toMatchObject({
    allowFrom: ['1', '2'],
  });
});
