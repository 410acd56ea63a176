import { at, isObject, merge, type Json, type JsonObject } from './json.ts';
import { provider, reference } from './secrets.ts';

/** The variables of the container, and the secrets by their names. */
type Environment = Readonly<Record<string, string | undefined>>;

/** How the configuration names a variable that is no secret; earlier versions named secrets so as well. */
const variable = (name: string): string => `\${${name}}`;

/** Where the configuration refers to a variable or a secret, and goes away with it. */
const REFERENCES: readonly { name: string; path: readonly string[]; key: string }[] = [
  { name: 'ANTHROPIC_API_KEY', path: ['models', 'providers', 'anthropic'], key: 'apiKey' },
  { name: 'OPENAI_API_KEY', path: ['models', 'providers', 'openai'], key: 'apiKey' },
  { name: 'CUSTOM_MODEL_BASE_URL', path: ['models', 'providers', 'custom'], key: 'baseUrl' },
  { name: 'TELEGRAM_BOT_TOKEN', path: ['channels', 'telegram'], key: 'botToken' },
  { name: 'DISCORD_BOT_TOKEN', path: ['channels', 'discord'], key: 'token' },
  { name: 'SLACK_BOT_TOKEN', path: ['channels', 'slack'], key: 'botToken' },
];

/** Takes out what an earlier start put in for a variable that is gone: OpenClaw would look for its value in vain. */
export function withoutStale(config: JsonObject, env: Environment): JsonObject {
  let result = config;
  for (const { name, path, key } of REFERENCES) {
    if (refersTo(at(result, ...path, key), name) && !env[name]) result = without(result, path);
  }
  const model = at(result, 'agents', 'defaults', 'model', 'primary');
  const isOurs = typeof model === 'string' && model.startsWith('custom/');
  return isOurs && !env['CUSTOM_MODEL_BASE_URL'] ? without(result, ['agents', 'defaults', 'model']) : result;
}

const refersTo = (found: Json | undefined, name: string): boolean =>
  found === variable(name) || JSON.stringify(found) === JSON.stringify(reference(name));

function without(object: JsonObject, [key = '', ...rest]: readonly string[]): JsonObject {
  const inner = object[key];
  if (rest.length > 0) return isObject(inner) ? { ...object, [key]: without(inner, rest) } : object;
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
}

/** What the environment says about the configuration; it wins over what was there. */
export function fromEnvironment(env: Environment, secretsFile: string): JsonObject {
  const hostPort = env['GATEWAY_PORT'] || '18789';
  const model = defaultModel(env);
  return {
    gateway: {
      mode: 'local',
      port: 18789,
      bind: env['OPENCLAW_GATEWAY_BIND'] || 'lan',
      auth: { mode: 'token', token: reference('OPENCLAW_GATEWAY_TOKEN') },
      http: { endpoints: { responses: { enabled: true } } },
      // A browser comes by the port of the host, which the gateway cannot know.
      controlUi: {
        allowedOrigins: [
          `http://localhost:${hostPort}`,
          `http://127.0.0.1:${hostPort}`,
          ...list(env['OPENCLAW_ALLOWED_ORIGINS']),
        ],
      },
    },
    agents: { ownership: 'explicit', ...(model && { defaults: { model: { primary: model } } }) },
    secrets: { providers: provider(secretsFile) },
    models: { providers: providers(env) },
    channels: channels(env),
  };
}

const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const customModels = (env: Environment): string[] => [
  ...list(env['CUSTOM_MODELS']),
  ...list(env['CUSTOM_EXTRA_MODELS']),
];

/** The one that is asked for, else the first of the custom endpoint; null leaves the choice as it is. */
function defaultModel(env: Environment): string | null {
  if (env['OPENCLAW_MODEL']) return env['OPENCLAW_MODEL'];
  const [first] = env['CUSTOM_MODEL_BASE_URL'] ? customModels(env) : [];
  return first === undefined ? null : `custom/${first}`;
}

function providers(env: Environment): JsonObject {
  const result: JsonObject = {};
  // OpenClaw knows both by itself; only the key and another address have to be told.
  if (env['ANTHROPIC_API_KEY']) {
    const baseUrl = env['ANTHROPIC_BASE_URL'];
    result['anthropic'] = {
      apiKey: reference('ANTHROPIC_API_KEY'),
      ...(baseUrl && { baseUrl, api: 'anthropic-messages' }),
    };
  }
  if (env['OPENAI_API_KEY']) {
    const baseUrl = env['OPENAI_BASE_URL'];
    result['openai'] = { apiKey: reference('OPENAI_API_KEY'), ...(baseUrl && { baseUrl }) };
  }
  if (env['CUSTOM_MODEL_BASE_URL']) {
    result['custom'] = {
      baseUrl: variable('CUSTOM_MODEL_BASE_URL'),
      // An endpoint without keys gets a word that is none.
      apiKey: env['CUSTOM_MODEL_API_KEY'] ? reference('CUSTOM_MODEL_API_KEY') : 'none',
      api: 'openai-completions',
      models: customModels(env).map((id) => ({ id, name: id })),
    };
  }
  return result;
}

function channels(env: Environment): JsonObject {
  const result: JsonObject = {};
  if (env['TELEGRAM_BOT_TOKEN']) {
    result['telegram'] = merge(
      { enabled: true, botToken: reference('TELEGRAM_BOT_TOKEN') },
      access(env['TELEGRAM_DM_POLICY'], env['TELEGRAM_DM_ALLOW_FROM']),
    );
  }
  if (env['DISCORD_BOT_TOKEN']) {
    result['discord'] = merge(
      { enabled: true, token: reference('DISCORD_BOT_TOKEN') },
      access(env['DISCORD_DM_POLICY'], env['DISCORD_DM_ALLOW_FROM']),
    );
  }
  if (env['SLACK_BOT_TOKEN'] && env['SLACK_APP_TOKEN']) {
    result['slack'] = {
      enabled: true,
      botToken: reference('SLACK_BOT_TOKEN'),
      appToken: reference('SLACK_APP_TOKEN'),
    };
  }
  return result;
}

/** Who may write to the bot; OpenClaw wants `open` to be said twice. */
function access(policy = '', allowFrom = ''): JsonObject {
  const dmPolicy = policy || 'pairing';
  const allowed = dmPolicy === 'open' ? ['*'] : list(allowFrom);
  return { dmPolicy, ...(allowed.length > 0 && { allowFrom: allowed }) };
}
