/** `npm run why`, and what the health port tells of one notification. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../src/local/free-port.ts';
import type { StoryReport, WhyAnswer } from '../../src/stories/answer.ts';
import { holdGateway } from '../kits/held-gateway.ts';
import { startRuntime, temporaryDirectory, type RuntimeProcess } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Runs the command to its end. @param file the source, or the bundle of the image */
async function why(args: readonly string[], file = 'src/cli/why.ts') {
  const child = spawn(process.execPath, [join(ROOT, file), ...args], {
    env: { PATH: process.env.PATH, DEV_DIR: temporaryDirectory() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { out, err, code };
}

const answerOf = async (runtime: RuntimeProcess, question: string): Promise<WhyAnswer> =>
  JSON.parse((await runtime.get(`/why?q=${encodeURIComponent(question)}`)).body) as WhyAnswer;

async function storyWhen(
  runtime: RuntimeProcess,
  question: string,
  what: string,
  holds: (story: StoryReport) => boolean,
): Promise<StoryReport> {
  return until(`The story says ${what}`, async () => {
    const answer = await answerOf(runtime, question);
    return answer.kind === 'story' && holds(answer.story) && answer.story;
  });
}

const waitedFor = ({ waited }: StoryReport, what: string): number =>
  waited.find((one) => one.for === what)?.ms ?? 0;

test('the story of a message that waits for another one, from its creation to its reply', async () => {
  const [backend, echo] = [await missionControl(), await echoGateway()];
  const gateway = await holdGateway(echo);
  const runtime = await startRuntime({ backend, gateway });
  const [taskId = ''] = backend.taskIds;
  await backend.postMessage(
    taskId,
    "@engineer please look at the login bug\nand this line is nobody's business",
  );
  await gateway.runHeld();

  const first = await storyWhen(runtime, 'please look at the login bug', 'that the agent works', ({ now }) =>
    now.includes('Its agent works'),
  );
  expect(first).toMatchObject({
    text: '@engineer please look at the login bug',
    type: 'mention',
    agent: { slug: 'engineer' },
    task: { id: taskId },
    runs: [{ rounds: 1, toolCalls: 0, tokens: null, ended: null }],
    failures: [],
    end: null,
  });
  expect(Date.parse(first.listedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(first.createdAt));
  expect(first.next?.sentence).toContain('cut off at its limit');
  expect(Date.parse(first.next?.at ?? '')).toBeGreaterThan(Date.now() + 500_000);

  await backend.postMessage(taskId, '@engineer what about the second thing?');
  const second = await storyWhen(runtime, 'the second thing', 'what it waits for', ({ now }) =>
    now.includes('an earlier message of its session'),
  );
  expect(second.now).toContain(first.id);

  const both = await why(['--url', runtime.url, '@engineer']);
  expect(both).toMatchObject({ code: 0, err: '' });
  expect(both.out).toContain('please look at the login bug');
  expect(both.out).toMatch(/others +.*the second thing/);

  gateway.release();
  const over = await storyWhen(runtime, second.id, 'how it ended', ({ end }) => end !== null);
  expect(over.end).toMatchObject({ outcome: 'delivered' });
  expect(over.end?.sentence).toMatch(/^Delivered: the reply is in the thread of ".+"\.$/);
  expect(over.runs).toMatchObject([{ ended: 'replied', rounds: 1 }]);
  expect(over.runs[0]?.tokens).not.toBe(null);
  expect(waitedFor(over, 'session')).toBeGreaterThan(0);
  const told = await why(['--url', runtime.url, over.id], 'dist/why.mjs');
  expect(told).toMatchObject({ code: 0, err: '' });
  expect(told.out).toMatch(/^ended +Delivered: the reply is in the thread of /m);
  const json = await why(['--url', runtime.url, over.id, '--json']);
  expect(JSON.parse(json.out)).toMatchObject({ kind: 'story', story: { id: over.id } });
});

test('a run that fails: each failure in a sentence, and when it is tried again', async () => {
  const [backend, gateway] = [await missionControl(), await echoGateway()];
  const env = { DELIVERY_BACKOFF_BASE_MS: '60s', DELIVERY_BACKOFF_MAX_MS: '60s' };
  const runtime = await startRuntime({ backend, gateway, env });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer ECHO_500 restart the build');
  const story = await storyWhen(runtime, 'restart the build', 'that it rests', ({ now }) =>
    now.startsWith('It rests before it runs again: '),
  );
  expect(story.failures).toHaveLength(1);
  expect(story.runs).toMatchObject([{ ended: 'failed' }]);
  expect(Date.parse(story.next?.at ?? '')).toBeGreaterThan(Date.now());
});

test('a message that waits for the gateway says why and when it is asked again; the gate counts as its wait', async () => {
  const backend = await missionControl();
  const port = await freePort();
  const runtime = await startRuntime({
    backend,
    gateway: { url: `http://127.0.0.1:${port}`, token: 'local' },
  });
  await runtime.waitForHealth('that the gateway is away', ({ status }) => status === 'degraded');
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer hello');
  const story = await storyWhen(runtime, '@engineer hello', 'what it waits for', ({ now }) =>
    now.startsWith('It waits for the gateway.'),
  );
  expect(story.now).toContain(String(port));
  await storyWhen(runtime, '@engineer hello', 'how long it waited', (one) => waitedFor(one, 'gate') > 0);
});

test('it tells nothing of a message while INSPECTOR_TEXT is off, and never a secret', async () => {
  const [backend, gateway] = [await missionControl(), await echoGateway()];
  const runtime = await startRuntime({ backend, gateway, env: { INSPECTOR_TEXT: 'off' } });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer hush hush');
  const story = await storyWhen(runtime, 'engineer', 'how it ended', ({ end }) => end !== null);
  expect(story.text).toBe(null);
  expect(JSON.stringify(story)).not.toContain('hush');
  expect(await answerOf(runtime, 'hush')).toMatchObject({ kind: 'none' });

  const open = await startRuntime({ backend, gateway: await echoGateway() });
  await backend.postMessage(backend.taskIds[1] ?? '', `@engineer the token is ${backend.serviceToken}`);
  const told = await storyWhen(open, 'the token is', 'the message', () => true);
  expect(told.text).toContain('the token is');
  expect(JSON.stringify(told)).not.toContain(backend.serviceToken);
});

test('one sentence for an unknown, ambiguous or empty question, and when nobody answers', async () => {
  const [backend, gateway] = [await missionControl(), await echoGateway()];
  const runtime = await startRuntime({ backend, gateway });
  const [one = '', two = ''] = backend.taskIds;
  await backend.postMessage(one, '@engineer look at this one');
  await backend.postMessage(two, '@engineer look at this two');
  await until('Both are listed', async () => (await answerOf(runtime, 'look at this')).kind === 'several');

  const many = await why(['--url', runtime.url, 'look', 'at', 'this']);
  expect(many).toMatchObject({ out: '', code: 1 });
  const [sentence, ...candidates] = many.err.trim().split('\n');
  // The orchestrator hears of the threads as well.
  expect(sentence).toMatch(
    /^\d notifications have "look at this" in their message or task\. Ask for one of them by its id\.$/,
  );
  expect(candidates.length).toBeGreaterThanOrEqual(2);
  for (const line of candidates)
    expect(line).toMatch(/^\w+ · [\w-]+ · .+ · "[^"]*look at this (one|two)[^"]*" · /);

  const unknown = await why(['--url', runtime.url, 'nnnn']);
  expect(unknown).toMatchObject({ out: '', code: 1 });
  expect(unknown.err).toMatch(/^Nothing is known of "nnnn": .*\n$/);
  expect((await runtime.get('/why?q=nnnn')).status).toBe(404);
  expect((await runtime.get('/why')).body).toContain('Say which notification');
  expect((await runtime.get('/why?q=%E0%A4%A')).status).toBe(404);
  expect((await runtime.get(`/why?q=${'x'.repeat(3_000)}`)).body.length).toBeLessThan(400);
  expect((await why([])).err).toMatch(/^Say what to look for: /);

  const nowhere = `http://127.0.0.1:${await freePort()}`;
  expect((await why(['--url', nowhere, 'x'])).err).toMatch(/^Nothing answers on .*\n$/);
  const other = createServer((_, response) => response.end('{"kind":"story"}'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect((await why(['--url', `http://127.0.0.1:${port}`, 'x'])).err).toContain('but not with a story');
});
