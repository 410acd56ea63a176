import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../../test/kits/runtime.ts';
import { missionControl, type MissionControl } from '../../test/kits/stack.ts';
import { until } from '../../test/kits/until.ts';

let directory: string;
let backend: MissionControl;

beforeEach(async () => {
  directory = temporaryDirectory();
  backend = await missionControl({ extensions: true });
  const { url: convexUrl, accountId, serviceToken, personToken, tasks } = backend;
  const session = { convexUrl, accountId, serviceToken, personToken, healthUrl: '', gatewayUrl: '', tasks };
  writeFileSync(join(directory, 'dev.json'), JSON.stringify(session));
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'threads.ts'), ...args], {
    env: { PATH: process.env.PATH, DEV_DIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, exit };
}

/** `npm run threads -- ...`, to its end. */
async function threads(...args: string[]) {
  const { child, exit } = start(...args);
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, err, code };
}

test('creates an agent and a task for it, lists both, assigns another, and shows the thread', async () => {
  expect((await threads('agent', 'writer', '--name', 'Writer', '--role', 'Writer')).code).toBe(0);
  expect((await threads('agents')).out).toMatch(/^writer +Writer$/m);
  const made = await threads('new', 'Tell the story', '--assign', 'writer', '--json');
  const { taskId } = JSON.parse(made.out) as { taskId: string };
  expect((await threads('assign', 'the story', '@qa,engineer')).out).toBe(
    '"Tell the story" is assigned to qa, engineer.\n',
  );
  expect((await threads()).out.split('\n')[0]).toMatch(/ assigned +Tell the story {2}@writer @qa @engineer$/);
  const rows = (await backend.agentRows()).filter((row) => row.taskId === taskId);
  expect(rows.map(({ type }) => type)).toEqual(['assignment', 'assignment', 'assignment']);
  await backend.postMessage(taskId, 'Once upon a time');
  expect((await threads('show', taskId)).out).toMatch(/^# Tell the story\n.* Demo User: Once upon a time\n$/);
  const [message] = JSON.parse((await threads('show', taskId, '--json')).out) as { content: string }[];
  expect(message?.content).toBe('Once upon a time');
});

test('follows a thread live, without colours when it is no terminal, and ends in good order', async () => {
  const taskId = backend.taskIds[0] ?? '';
  const { child, exit } = start('follow', 'login bug');
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (out += more));
  await until('It follows', () => out.includes('# Fix the login bug'));
  for (const word of ['one', 'two']) {
    await backend.postMessage(taskId, word);
    await until('It is shown', () => out.includes(`Demo User: ${word}\n`));
  }
  expect(out).not.toContain('\u001b');
  child.kill('SIGINT');
  expect(await exit).toBe(0);
});

test.each([
  [['show', 'nosuch'], 'No task is called "nosuch". See them: npm run threads\n'],
  [['show', 'the'], '"the" may be '],
  [['assign', 'login'], 'Missing: the slugs of the agents.'],
  [['assign', 'login', 'nobody'], "Not found: no agent has the slug 'nobody'\n"],
  [['new'], 'What is the title?'],
  [['show', 'login', 'bug'], 'show cannot read "bug". Put quotes around a title of several words.'],
  [['agents', 'qa'], 'agents cannot read "qa".'],
  [['dance'], 'There is no command "dance".'],
])('%j is refused in words', async (args, words) => {
  const { code, out, err } = await threads(...args);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain(words);
});

test('without a stack it says what to start', async () => {
  await backend.close();
  expect((await threads()).err).toBe(
    'Mission Control does not answer: start the stack with `npm run dev` first.\n',
  );
});
