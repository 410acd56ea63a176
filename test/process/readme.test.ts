/** The README's npm lines, word by word, in a fresh clone: the commands are read from README.md itself. */
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { copyCheckout, readmeCommands } from '../kits/readme.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

/** npm ci finds its packages in the cache of the outer one, but it takes long on a busy machine. */
const INSTALL_MS = 240_000;

const clone = copyCheckout('fresh-clone-');
afterAll(() => rmSync(clone, { recursive: true, force: true }));

/** The environment of a newcomer, without the tools of this checkout, and with free ports. */
const NEWCOMER = {
  HOME: process.env.HOME,
  PATH: (process.env.PATH ?? '')
    .split(':')
    .filter((entry) => !entry.includes('node_modules'))
    .join(':'),
  npm_config_prefer_offline: 'true',
  LOCAL_BACKEND_PORT: '0',
  HEALTH_PORT: '0',
  INSPECTOR_PORT: '0',
};

/** Types the line into a shell of its own terminal. */
function type(line: string, env: Record<string, string> = {}) {
  const child = spawn('sh', ['-c', line], {
    cwd: clone,
    env: { ...NEWCOMER, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const group = -(child.pid ?? 0);
  let [output, isGone] = ['', false];
  child.stdout.setEncoding('utf8').on('data', (more: string) => (output += more));
  child.stderr.setEncoding('utf8').on('data', (more: string) => (output += more));
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      isGone = true;
      resolve(code);
    });
  });
  const signal = (name: NodeJS.Signals): void => void process.kill(group, name);
  onTestFinished(async () => {
    if (!isGone) signal('SIGINT');
    await exited;
  });
  const shows = (what: string, words: RegExp, limitMs?: number): Promise<RegExpExecArray> =>
    until(
      what,
      () => {
        const found = words.exec(output);
        if (found === null && isGone) throw new Error(`\`${line}\` ended before that: ${output}`);
        return found;
      },
      limitMs,
    );
  return { exited, signal, shows, output: () => output };
}

test(
  'Try it: one line starts all of it, the next one is answered, and Ctrl-C stops it',
  async () => {
    const [start = '', say = '', ...more] = readmeCommands('Try it');
    expect([start, say, more]).toEqual([
      expect.stringContaining('npm run dev'),
      expect.stringMatching(/^npm run say -- "@engineer /),
      [],
    ]);
    const dev = type(start);
    const ready = await dev.shows('All is up', /Try next, in another terminal: (.*)$/m, INSTALL_MS);
    // It says the same as the README.
    expect(ready[1]).toBe(say);
    const machines = /^dev +│ machines (http:\S+)$/m.exec(dev.output())?.[1] ?? '';
    expect(await (await fetch(machines)).text()).toContain('<title>');

    const said = type(say);
    expect(await said.exited).toBe(0);
    const question = /"(.*)"/.exec(say)?.[1] ?? '';
    expect(said.output()).toContain(`Demo User: ${question}`);
    expect(said.output()).toContain(`Engineer: echo from engineer: ${question.replace('@', '')}`);

    dev.signal('SIGINT');
    await dev.exited;
    expect(dev.output()).toContain('SIGINT: stopping; no run is open.');
    await expect(fetch(machines)).rejects.toThrow();
  },
  INSTALL_MS + 60_000,
);

test(
  'Run it: the build, and a start with the three settings',
  async () => {
    const [lines = ''] = readmeCommands('Run it');
    const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
    const filled = lines
      .replace('CONVEX_URL=https://...', `CONVEX_URL=${backend.url}`)
      .replace('ACCOUNT_ID=...', `ACCOUNT_ID=${backend.accountId}`)
      .replace('SERVICE_TOKEN=mc_service_...', `SERVICE_TOKEN=${backend.serviceToken}`);
    expect(filled).not.toContain('...');
    // The first test has installed it, unless this test runs alone.
    const install = existsSync(join(clone, 'node_modules')) ? '' : 'npm ci && ';
    const runtime = type(`${install}${filled}`, {
      OPENCLAW_GATEWAY_URL: gateway.url,
      OPENCLAW_GATEWAY_TOKEN: gateway.token,
    });
    await runtime.shows('It is ready', /"event":"gateway\.available"/, INSTALL_MS);
    await until(
      'Mission Control knows',
      async () => (await backend.showRuntime()).runtimeStatus === 'online',
    );
    runtime.signal('SIGTERM');
    await runtime.exited;
    expect(runtime.output()).toMatch(/"event":"runtime\.stopped"/);
  },
  INSTALL_MS + 60_000,
);

test('Test it: the README names the command that CI runs first', () => {
  expect(readmeCommands('Test it')).toEqual(['npm ci && npm test']);
});
