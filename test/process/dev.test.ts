import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { say, startDev } from '../kits/dev.ts';
import { temporaryDirectory } from '../kits/runtime.ts';
import { freePort } from '../../src/local/free-port.ts';
import { until } from '../kits/until.ts';

/** The addresses that the stack prints for its parts. */
const urlsOf = (output: string): string[] =>
  ['backend', 'gateway', 'health', 'machines'].map(
    (name) => new RegExp(`^dev +│ ${name} +(http://\\S+)$`, 'm').exec(output)?.[1] ?? name,
  );

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

test('npm run dev starts everything, npm run say gets a reply, Ctrl-C stops everything', async () => {
  const directory = temporaryDirectory();
  const dev = startDev(directory);
  await until('It says what to try', () => dev.output().includes('Try next'));
  const urls = urlsOf(dev.output());
  expect(await Promise.all(urls.map(answers))).toEqual([true, true, true, true]);

  const replied = await say(directory, '@engineer please look at the login bug');
  expect(replied).toMatchObject({ code: 0, err: '' });
  expect(replied.out).toMatch(/^# Fix the login bug$/m);
  expect(replied.out).toMatch(/Engineer: echo from engineer: engineer please look at the login bug$/m);

  const other = await say(directory, '--task', 'release notes', '@qa', 'ECHO_TEXT:done');
  expect(other).toMatchObject({ code: 0, err: '' });
  expect(other.out).toMatch(
    /^# Write the release notes\n.*Demo User: @qa ECHO_TEXT:done\n(?:.*\n)*.*QA: done\n/,
  );

  const unknown = await say(directory, '--task', 'nosuch', 'hello');
  expect(unknown).toMatchObject({ code: 1, out: '' });
  expect(unknown.err).toMatch(/^No demo task is called "nosuch": there are "Fix the login bug", /);

  const inVain = await say(directory, '--timeout', '1', '@engineer ECHO_HANG');
  expect(inVain.code).toBe(1);
  expect(inVain.err).toMatch(
    /^No reply of @engineer within 1 s\. @engineer (?:is at work on it|has not begun yet)\. See http:.*\/health\.\n$/,
  );

  const behind = await say(directory, '--timeout', '1', '@engineer and then this');
  expect(behind.err).toMatch(/It waits behind 1 older message to @engineer\./);

  const nobody = await say(directory, '@enginer look');
  expect(nobody).toMatchObject({ code: 1, out: '# Fix the login bug\n' });
  expect(nobody.err).toMatch(/^There is no agent @enginer: did you mean @engineer\? The agents are @.*\.\n$/);

  dev.pressCtrlC();
  expect(await dev.exited).toBe(0);
  expect(dev.output()).toMatch(
    /SIGINT: stopping\. The runtime waits for 1 run, at most 100ms \(DRAIN_TIMEOUT_MS\); Ctrl-C again cuts them off\./,
  );
  // The runtime says the same.
  expect(dev.output()).toMatch(/^runtime +│ .*SIGINT: finishing what is under way, then leaving/m);
  expect(dev.output()).not.toContain('SIGTERM');
  expect(await Promise.all(urls.map(answers))).toEqual([false, false, false, false]);
  expect(existsSync(join(directory, 'dev.json'))).toBe(false);
});

test('npm run dev names a port that is taken before it starts anything', async () => {
  const port = await freePort();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const dev = startDev(temporaryDirectory(), { LOCAL_BACKEND_PORT: String(port) });
  expect(await dev.exited).toBe(1);
  expect(dev.output()).toBe(
    `dev     │ Port ${port} is taken, so the local Mission Control cannot listen there: stop what holds it (another npm run dev?), or set LOCAL_BACKEND_PORT=0 for any free port.\n`,
  );
});

test('npm run dev says which of its processes is gone, and leaves nothing behind', async () => {
  const dev = startDev(temporaryDirectory());
  await until('It says what to try', () => dev.output().includes('Try next'));
  const urls = urlsOf(dev.output());
  const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(dev.pid)], { encoding: 'utf8' });
  const backend = children.split('\n').find((line) => line.includes('mission-control/main.ts'));
  process.kill(Number.parseInt(backend ?? '', 10), 'SIGKILL');
  expect(await dev.exited).toBe(1);
  expect(dev.output()).toMatch(
    /dev +│ The local Mission Control ended by a signal; its last lines are above\. .*Stopping the rest\./,
  );
  expect(await Promise.all(urls.map(answers))).toEqual([false, false, false, false]);
});

test('nothing of npm run dev stays behind when it is killed', async () => {
  const dev = startDev(temporaryDirectory());
  await until('It says what to try', () => dev.output().includes('Try next'));
  const urls = urlsOf(dev.output());
  dev.kill();
  await dev.exited;
  await until('All of it is gone', async () => !(await Promise.all(urls.map(answers))).includes(true));
});

test('npm run say without a stack says what to start', async () => {
  const none = temporaryDirectory();
  const killed = temporaryDirectory();
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const session = {
    accountId: 'a',
    serviceToken: 't',
    personToken: 'p',
    healthUrl: nobody,
    gatewayUrl: nobody,
    inspectorUrl: null,
    tasks: [],
  };
  writeFileSync(join(killed, 'dev.json'), JSON.stringify({ ...session, convexUrl: nobody }));
  for (const directory of [none, killed]) {
    expect(await say(directory, '@engineer hello')).toEqual({
      code: 1,
      out: '',
      err: 'Nothing is running here: start the stack with `npm run dev` first.\n',
    });
  }
});
