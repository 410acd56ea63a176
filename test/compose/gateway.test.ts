/** The whole stack with the real gateway: what is asked of it in work, when parts of it go, and of its walls. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as v from 'valibot';
import type { DemoClient } from '../../src/local/client.ts';
import { until } from '../kits/until.ts';
import { figure, newStack, PATIENCE_MS, secondsSince, type Stack } from './stack.ts';

const run = promisify(execFile);

const SERVICES = ['backend', 'mock-model', 'openclaw-gateway', 'runtime'];

/** In .env and among the secrets while the images are built: it must not come out anywhere. */
const CANARY = `canary${randomBytes(16).toString('hex')}`;

/** A model's key in .env; no agent may come by it. */
const PLANTED_KEY = `sk-ant-planted-${randomBytes(16).toString('hex')}`;

let stack: Stack;
let person: DemoClient;
let token: string;

beforeAll(async () => {
  stack = await newStack({
    COMPOSE_PROFILES: 'local,openclaw,mock',
    HEALTH_CHECK_INTERVAL: '5s',
    DELIVERY_INTERVAL: '2s',
    DELIVERY_BACKOFF_BASE_MS: '500ms',
    DELIVERY_BACKOFF_MAX_MS: '2s',
    // So long that an agent that is new is looked for because it is spoken to, and not by the way.
    AGENT_SYNC_INTERVAL: '1h',
    CANARY,
    ANTHROPIC_API_KEY: PLANTED_KEY,
    PROFILE_SYNC_INTERVAL: '2s',
    CUSTOM_MODELS: 'mock-1,mock-2',
    OPENCLAW_AGENT_MODELS: 'other-word=custom/mock-2,unlisted-word=custom/nowhere',
  });
  writeFileSync(join(stack.root, 'secret.key'), CANARY);
  const build = performance.now();
  await stack.compose('build');
  figure('build of the images of local, openclaw and mock', secondsSince(build));
  const up = performance.now();
  await stack.compose('up', '--detach');
  token = await stack.compose('exec', '-T', 'openclaw-gateway', 'cat', '/run/secrets/OPENCLAW_GATEWAY_TOKEN');
  await gatewayKnows('engineer');
  await stack.waitForHealth('a gateway', ({ gateway }) => gateway.state === 'connected');
  figure('up until the gateway is connected and knows the agents', secondsSince(up));
  person = await stack.person();
});

afterAll(() => stack.down());

const gatewayKnows = (slug: string): Promise<true> =>
  until(
    `The gateway knows ${slug}`,
    async () => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`http://127.0.0.1:${stack.ports.gateway}/v1/models`, { headers }).catch(
        () => null,
      );
      return answer !== null && (await answer.text()).includes(`"openclaw/${slug}"`);
    },
    PATIENCE_MS,
  );

/** A task of its own for each test. */
async function newTask(title: string): Promise<string> {
  const made = await person.call('demo/actions:createTask', { title });
  return v.parse(v.object({ taskId: v.string() }), made).taskId;
}

const repliesOn = async (taskId: string): Promise<string[]> =>
  (await person.listThread(taskId))
    .filter(({ authorType }) => authorType === 'agent')
    .map(({ content }) => content);

const replyOn = (taskId: string): Promise<string> =>
  until(`A reply on ${taskId}`, async () => (await repliesOn(taskId))[0], PATIENCE_MS);

/** Says something that the model takes so many seconds to answer, and waits until a run is under way. */
async function workUnderWay(title: string, seconds: number): Promise<string> {
  // An upgrade that did not change the version stays a problem, and keeps nobody from working.
  await stack.waitForHealth(
    'that it is ready',
    ({ status, problems }) =>
      status === 'healthy' || (problems.length > 0 && problems.every(({ source }) => source === 'upgrade')),
  );
  const taskId = await newTask(title);
  await person.postMessage(taskId, `@engineer mock:delay=${seconds}s please`);
  await stack.waitForHealth('the run', ({ sessions }) =>
    [...sessions.shown].some(
      ({ id, value }) => id.includes(taskId) && JSON.stringify(value).includes('running'),
    ),
  );
  return taskId;
}

test('a message comes back as a reply of the real gateway, and the Control UI answers', async () => {
  const start = performance.now();
  const taskId = await newTask('The first word');
  await person.postMessage(taskId, '@engineer please look at the login bug');
  expect(await replyOn(taskId)).toBe('mock reply: engineer please look at the login bug');
  figure('message until reply', secondsSince(start));

  const page = await fetch(`http://127.0.0.1:${stack.ports.gateway}/`);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('openclaw-control-ui');
  for (const service of SERVICES) {
    const { Id } = await stack.container(service);
    figure(
      `memory of ${service}`,
      await stack.docker('stats', '--no-stream', '--format', '{{.MemUsage}}', Id),
    );
  }
  const bytes = await stack.docker(
    'image',
    'inspect',
    '--format',
    '{{.Size}}',
    'openclaw-mission-control-gateway:2026.9.6',
  );
  figure('image of the gateway', `${Math.round(Number(bytes) / 1e6)} MB`);
});

test('an agent that is added can be spoken to, and nothing was restarted for it', async () => {
  const before = await stack.containers();
  const taskId = await newTask('A new face');
  const start = performance.now();
  await person.call('demo/actions:addAgent', { slug: 'designer', name: 'Designer', role: 'Designer' });
  await person.postMessage(taskId, '@designer hello');
  expect(await replyOn(taskId)).toBe('mock reply: designer hello');
  figure('agent added and spoken to until its reply is there', secondsSince(start));
  const after = await stack.containers();
  for (const service of SERVICES) {
    expect(after[service]?.State.StartedAt).toBe(before[service]?.State.StartedAt);
    expect(after[service]?.Id).toBe(before[service]?.Id);
  }
});

/** Has the engineer call a tool of the gateway's. @returns what the tool gave back */
async function whatAgentGets(tool: string, args: object): Promise<string> {
  const taskId = await newTask(tool);
  await person.postMessage(taskId, `@engineer please\nmock:tool=${tool} ${JSON.stringify(args)}`);
  return replyOn(taskId);
}

test('an agent finds neither the token nor a key: by env, in /proc, in the configuration, and by the read tool', async () => {
  const planted = [token, PLANTED_KEY];
  const withoutSecrets = (said: string): string => {
    // OpenClaw shows the ends of a secret that it knows, with dots between.
    for (const secret of planted) {
      expect(said).not.toContain(secret);
      expect(said).not.toContain(`${secret.slice(0, 6)}…`);
    }
    return said;
  };
  // Encoded: OpenClaw hides what it knows as a secret in what a tool says, and this is about what the tool gets.
  const shell = async (command: string): Promise<string> => {
    const said = await whatAgentGets('exec', { command: `(${command}) 2>&1 | base64 -w0` });
    return Buffer.from(said.replace('mock reply: ', ''), 'base64').toString();
  };
  expect(withoutSecrets(await shell('env'))).toContain('HOME=/home/node');
  // Of every process that it may look into: the container's first one and the gateway among them.
  const environments = withoutSecrets(
    await shell('for p in /proc/[0-9]*; do echo "$p"; cat "$p/environ"; done'),
  );
  expect(environments).toContain('/proc/1\n');
  expect(environments).toContain('OPENCLAW_STATE_DIR=');
  expect(withoutSecrets(await shell('cat /home/node/.openclaw/openclaw.json'))).toContain(
    '/OPENCLAW_GATEWAY_TOKEN',
  );
  for (const path of [
    '/run/secrets/OPENCLAW_GATEWAY_TOKEN',
    '/run/secrets/from-settings/ANTHROPIC_API_KEY',
    '/run/openclaw/secrets.json',
    '/proc/1/environ',
  ]) {
    expect(withoutSecrets(await whatAgentGets('read', { path }))).toMatch(
      /workspace|outside|denied|not allowed/i,
    );
  }
  // What stays open, as docs/runtime/openclaw-gateway.md says: a shell reads what its user may read.
  expect(await shell('cat /run/openclaw/secrets.json')).toContain(token);
});

/** The file in an agent's workspace as the host sees it, by way of the gateway's container; null where there is none. */
const inWorkspace = (path: string): Promise<string | null> =>
  stack.compose('exec', '-T', 'openclaw-gateway', 'cat', `/home/node/workspaces/${path}`).catch(() => null);

test('who an agent is comes from Mission Control, without a restart: soul, skills, and its own edits put back', async () => {
  const before = await stack.container('openclaw-gateway');
  const start = performance.now();
  const skills = [{ slug: 'review', contentMarkdown: '# How we review' }];
  await person.call('demo/actions:setProfile', { slug: 'engineer', soulContent: 'You are calm.', skills });
  const skill = 'engineer/skills/mission-control/review/SKILL.md';
  await until(
    'The soul is there',
    async () => (await inWorkspace('engineer/SOUL.md')) === 'You are calm.',
    PATIENCE_MS,
  );
  figure('soul changed in Mission Control until it is in the workspace, every 2 s', secondsSince(start));
  expect(await inWorkspace(skill)).toMatch(/^---\nname: review\n[^]*# How we review/);
  expect(await inWorkspace('engineer/AGENTS.md')).toContain('You are @engineer');
  // It is in the prompt of the very next turn; the mock says back the system prompt's lines that match.
  const taskId = await newTask('Who are you?');
  await person.postMessage(taskId, '@engineer mock:system=/You are calm|review/ please');
  const said = await replyOn(taskId);
  expect(said).toContain('You are calm.');
  expect(said).toContain('review');

  await whatAgentGets('write', { path: 'SOUL.md', content: 'I do as I please.' });
  await until(
    'It is put back',
    async () => (await inWorkspace('engineer/SOUL.md')) === 'You are calm.',
    PATIENCE_MS,
  );
  expect(await inWorkspace('engineer/SOUL.md.edited')).toBe('I do as I please.');
  expect(await stack.compose('logs', '--no-log-prefix', 'openclaw-gateway')).toContain(
    'roster: engineer: SOUL.md was edited there',
  );

  await person.call('demo/actions:setProfile', { slug: 'engineer', skills: [] });
  await until('The skill is gone', async () => (await inWorkspace(skill)) === null, PATIENCE_MS);
  expect((await stack.container('openclaw-gateway')).State.StartedAt).toBe(before.State.StartedAt);
});

test('an agent runs on the model that the map names for its word, and on the default again without it', async () => {
  const modelOf = async (): Promise<string> =>
    stack.compose(
      ...['exec', '-T', 'openclaw-gateway', 'node', '-p'],
      'JSON.stringify(JSON.parse(require("fs").readFileSync("/home/node/.openclaw/openclaw.json")).agents.entries.engineer.model ?? null)',
    );
  expect(await modelOf()).toBe('null');
  await person.call('demo/actions:setProfile', { slug: 'engineer', model: 'other-word' });
  await until('The model is set', async () => (await modelOf()) === '"custom/mock-2"', PATIENCE_MS);
  await person.call('demo/actions:setProfile', { slug: 'engineer', model: 'unlisted-word' });
  await until('The model is taken back', async () => (await modelOf()) === 'null', PATIENCE_MS);
  expect(await stack.compose('logs', '--no-log-prefix', 'openclaw-gateway')).toContain(
    'roster: the gateway lists no custom/nowhere: not set for any agent',
  );
});

test('the gateway goes: degraded with a reason, the container healthy; it comes back: what waited is answered', async () => {
  await stack.waitForHealth('that all is well', ({ status }) => status === 'healthy');
  const { delivery } = await stack.waitForHealth('figures', () => true);
  // Killed, so that the moment is known; how it stops by itself is its own matter.
  const gone = performance.now();
  await stack.compose('kill', 'openclaw-gateway');
  const goneAt = new Date().toISOString();
  const health = await stack.waitForHealth('it', ({ gateway }) => gateway.state === 'degraded');
  figure('kill of the gateway until /health says so', secondsSince(gone));
  expect(health).toMatchObject({ status: 'degraded' });
  expect(health.reason).toContain('gateway');
  expect(health.delivery.delivered).toBeGreaterThanOrEqual(delivery.delivered);

  const taskId = await newTask('A word for later');
  await person.postMessage(taskId, '@engineer are you there?');
  await until(
    'Docker has looked again, and finds it healthy',
    async () => {
      const found = (await stack.container('runtime')).State.Health;
      const looks = found?.Log?.filter(({ Start }) => new Date(Start).toISOString() > goneAt) ?? [];
      return looks.length >= 2 && found?.Status === 'healthy';
    },
    PATIENCE_MS,
  );
  expect(await repliesOn(taskId)).toEqual([]);

  await stack.compose('start', 'openclaw-gateway');
  expect(await replyOn(taskId)).toBe('mock reply: engineer are you there?');
});

test('kill -USR2 1 under work: drained, exit 75, started again by the policy, nothing lost', async () => {
  const taskId = await workUnderWay('Work before an upgrade', 6);
  const since = Date.now() / 1_000;
  await stack.compose('exec', '-T', 'runtime', 'sh', '-c', 'kill -USR2 1');
  await until('It ended', async () => (await stack.exitCodes('runtime', since)).length > 0, PATIENCE_MS);
  expect(await stack.exitCodes('runtime', since)).toEqual(['75']);
  expect(await repliesOn(taskId)).toEqual(['mock reply: engineer mock:delay=6s please']);
  await stack.waitForHealth('that it is back', ({ uptime, status }) => uptime < 60 && status === 'healthy');
  expect((await stack.container('runtime')).RestartCount).toBeGreaterThan(0);
});

test('an upgrade that is asked for and not there: exit 75 once, then held back', async () => {
  const since = Date.now() / 1_000;
  await person.call('demo/actions:requestUpgrade', { targetRuntimeVersion: '99.0.0', strategy: 'immediate' });
  const health = await stack.waitForHealth('it', ({ upgrade }) => upgrade.state === 'heldBack');
  expect(health.upgrade.targetRuntimeVersion).toBe('99.0.0');
  expect(health.problems.map(({ source }) => source)).toContain('upgrade');
  expect(await stack.exitCodes('runtime', since)).toEqual(['75']);
});

test('docker compose stop in mid-run: the run ends, its reply is there, exit 0', async () => {
  const taskId = await workUnderWay('Work before a stop', 6);
  const since = Date.now() / 1_000;
  const start = performance.now();
  await stack.compose('stop', 'runtime');
  figure('stop in mid-run, with 6 s of work left at most', secondsSince(start));
  expect(await stack.exitCodes('runtime', since)).toEqual(['0']);
  expect((await stack.container('runtime')).State).toMatchObject({ Status: 'exited', ExitCode: 0 });
  expect(await repliesOn(taskId)).toEqual(['mock reply: engineer mock:delay=6s please']);
  await stack.compose('start', 'runtime');
});

test('docker compose kill in mid-run and up: the message is answered, once', async () => {
  const taskId = await workUnderWay('Work before a kill', 6);
  // Not the backend: it stands for Convex, and has its data in memory.
  await stack.compose('kill', 'runtime', 'openclaw-gateway', 'mock-model');
  expect(await repliesOn(taskId)).toEqual([]);
  await stack.compose('up', '--detach');
  expect(await replyOn(taskId)).toBe('mock reply: engineer mock:delay=6s please');
  await stack.waitForHealth(
    'that nothing is left',
    ({ delivery }) => delivery.inFlight + delivery.queued === 0,
  );
  expect(await repliesOn(taskId)).toHaveLength(1);
});

test('no secret in the logs, in docker inspect, in the history or the layers of the images', async () => {
  const serviceToken = await stack.compose('exec', '-T', 'backend', 'cat', '/run/secrets/SERVICE_TOKEN');
  const secrets = [serviceToken.split('_').at(-1) ?? '', token, CANARY];
  expect(secrets.every((secret) => secret.length >= 32)).toBe(true);
  const containers = Object.values(await stack.containers()).map(({ Id }) => Id);
  const images = (await stack.compose('config', '--images')).split('\n');
  const said = [
    await stack.compose('logs', '--no-color'),
    await stack.docker('inspect', ...containers),
    await stack.docker('inspect', ...images),
    ...(await Promise.all(images.map((image) => stack.docker('history', '--no-trunc', image)))),
  ].join('\n');
  for (const secret of secrets) expect(said.includes(secret)).toBe(false);

  // Nothing that lies beside the sources gets into a layer, neither .env nor a key; what every layer below has is found.
  const own = images.filter((name) => name.startsWith('openclaw-'));
  const { stdout } = await run('sh', [
    ...['-c', `docker save "$@" | LC_ALL=C grep -aoF -e ${CANARY} -e npm-cli.js | sort -u`, 'sh', ...own],
  ]);
  expect(stdout.trim()).toBe('npm-cli.js');
});

test('with every key and token OpenClaw takes the configuration, which holds none of them', async () => {
  const secret = (name: string): [string, string] => [name, `${name}-${randomBytes(8).toString('hex')}`];
  const secrets = [
    ...['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'CUSTOM_MODEL_API_KEY', 'TELEGRAM_BOT_TOKEN'],
    ...['DISCORD_BOT_TOKEN', 'SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'OPENCLAW_GATEWAY_TOKEN'],
  ].map(secret);
  const settings = Object.entries({
    ANTHROPIC_BASE_URL: 'http://anthropic.test',
    OPENAI_BASE_URL: 'http://openai.test/v1',
    CUSTOM_MODEL_BASE_URL: 'http://custom.test/v1',
    CUSTOM_MODELS: 'one,two',
    CUSTOM_EXTRA_MODELS: 'three',
    TELEGRAM_DM_POLICY: 'open',
    DISCORD_DM_POLICY: 'allowlist',
    DISCORD_DM_ALLOW_FROM: '1,2',
  });
  const environment = [...secrets, ...settings].flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const said = await stack.docker(
    ...['run', '--rm', '--network', 'none', ...environment, '--entrypoint', 'sh'],
    ...['openclaw-mission-control-gateway:2026.9.6', '-c'],
    'node /opt/mission-control/configure.ts && openclaw config validate --json && cat "$OPENCLAW_CONFIG_PATH"',
  );
  expect(said).toMatch(/"valid": ?true/);
  for (const [name, value] of secrets) {
    expect(said).toContain(`"/${name}"`);
    expect(said).not.toContain(value);
  }
});

test('nothing listens on other addresses of the host than 127.0.0.1', async () => {
  const bound = Object.values(await stack.containers()).flatMap(({ NetworkSettings }) =>
    Object.values(NetworkSettings.Ports).flatMap((bindings) => bindings ?? []),
  );
  expect(new Set(bound.map(({ HostIp }) => HostIp))).toEqual(new Set(['127.0.0.1']));
  const { health, backend, gateway } = stack.ports;
  const ports = [health, backend, gateway];
  expect(bound.map(({ HostPort }) => HostPort).toSorted()).toEqual(ports.map(String).toSorted());
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal);
  for (const { address } of others) {
    for (const port of ports) expect(await answers(address, port)).toBe(false);
  }
});

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => resolve(false)).setTimeout(5_000, () => socket.destroy());
  });

test('containers run as nobody special, and the runtime writes to its volumes alone', async () => {
  for (const service of SERVICES) {
    const status = await stack.compose('exec', '-T', service, 'cat', '/proc/1/status');
    expect(status).toMatch(/^Uid:\t1000\t1000/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  }
  const mayWrite = async (path: string): Promise<boolean> =>
    stack
      .compose('exec', '-T', 'runtime', 'sh', '-c', `touch ${path} && rm ${path}`)
      .then(() => true)
      .catch(() => false);
  for (const dir of ['/state', '/roster', '/tmp'])
    expect([dir, await mayWrite(`${dir}/x`)]).toEqual([dir, true]);
  for (const dir of [
    '/',
    '/app',
    '/etc',
    '/run',
    '/run/secrets',
    '/home/node',
    '/usr/local/bin',
    '/var/tmp',
  ]) {
    expect([dir, await mayWrite(`${dir}/x`)]).toEqual([dir, false]);
  }
});

test('docker compose stop reaches the gateway itself: it ends by itself, with 0', async () => {
  const since = Date.now() / 1_000;
  await stack.compose('stop', 'openclaw-gateway');
  expect(await stack.exitCodes('openclaw-gateway', since)).toEqual(['0']);
});
