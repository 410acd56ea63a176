import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildFollowUp } from '../../gateway/prompt-tools.ts';
import { startEchoGateway } from './spawn.ts';
import type { EchoGateway } from './spawn.ts';

let echo: EchoGateway;
beforeEach(async () => {
  echo = await startEchoGateway({ faults: true, agents: ['squad-lead', 'engineer'] });
});
afterEach(() => echo.close());

const send = (input: string, session = 's', signal: AbortSignal | null = null): Promise<Response> =>
  fetch(`${echo.url}/v1/responses`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${echo.token}`,
      'x-openclaw-session-key': `agent:engineer:${session}`,
    },
    body: JSON.stringify({ model: 'openclaw/engineer', stream: true, input }),
    signal,
  });
const say = async (input: string, session?: string): Promise<string> => (await send(input, session)).text();
const openRuns = async (): Promise<number> =>
  (await echo.runs()).runs.filter(({ endedAt }) => endedAt === null).length;
const statusOf = async (path: string): Promise<number> => (await fetch(echo.url + path)).status;

describe('sessions', () => {
  it('plays the runs of one session one after the other, in the order of their requests', async () => {
    const leaving = new AbortController();
    await send('ECHO_HANG', 's', leaving.signal);
    // Out of line the second would end long before the first.
    const first = say('ECHO_DELAY:150\n\nNotification ID: n1');
    await expect.poll(openRuns).toBe(2);
    const second = say('hello\n\nNotification ID: n2');
    await expect.poll(openRuns).toBe(3);
    leaving.abort();
    await Promise.all([first, second]);
    const { runs, maxOpenPerSession } = await echo.runs();
    expect(runs[2]?.endedAt).toBeGreaterThanOrEqual(runs[1]?.endedAt ?? Infinity);
    expect(runs.map(({ notificationId, outcome }) => [notificationId, outcome])).toEqual([
      [null, 'aborted'],
      ['n1', 'completed'],
      ['n2', 'completed'],
    ]);
    expect(maxOpenPerSession).toEqual({ 'agent:engineer:s': 3 });
  });

  it('plays the runs of different sessions side by side', async () => {
    const hanging = new AbortController();
    const held = send('ECHO_HANG', 'a', hanging.signal);
    await expect.poll(openRuns).toBe(1);
    expect(await say('hello', 'b')).toContain('echo from engineer: hello');
    expect((await echo.runs()).maxOpen).toBe(2);
    await held;
    hanging.abort();
  });

  it('ends the run of a client that leaves, and goes on with its session', async () => {
    const leaving = new AbortController();
    await send('ECHO_HANG', 's', leaving.signal);
    leaving.abort();
    expect(await say('hello')).toContain('echo from engineer: hello');
    expect((await echo.runs()).runs.map(({ outcome }) => outcome)).toEqual(['aborted', 'completed']);
  });

  it('sends the first event before a run has its turn', async () => {
    const leaving = new AbortController();
    await send('ECHO_HANG', 's', leaving.signal);
    const queued = await send('hello');
    const chunk: unknown = (await queued.body?.getReader().read())?.value;
    expect(chunk instanceof Uint8Array && new TextDecoder().decode(chunk)).toMatch(
      /^event: response\.created\n/,
    );
    leaving.abort();
  });
});

describe('the end', () => {
  it('drains on SIGTERM: not ready, no new runs, those under way end', async () => {
    const leaving = new AbortController();
    await send('ECHO_HANG', 'h', leaving.signal);
    const running = say('ECHO_DELAY:300 ECHO_TEXT:done', 'r');
    await expect.poll(openRuns).toBe(2);
    echo.kill('SIGTERM');
    await expect.poll(() => statusOf('/readyz')).toBe(503);
    expect(await (await fetch(`${echo.url}/readyz`)).json()).toMatchObject({
      ready: false,
      failing: ['gateway-draining'],
    });
    expect(await statusOf('/healthz')).toBe(200);
    const refused = await send('hello', 'n');
    expect([refused.status, await refused.text()]).toEqual([
      503,
      expect.stringContaining('gateway_unavailable'),
    ]);
    expect(await running).toContain('done');
    leaving.abort();
    expect(await echo.exited).toBe(0);
  });

  it('comes at once on a second signal', async () => {
    await send('ECHO_HANG', 'h');
    echo.kill('SIGTERM');
    await expect.poll(() => statusOf('/readyz')).toBe(503);
    echo.kill('SIGTERM');
    expect(await echo.exited).toBeNull();
  });
});

describe('faults', () => {
  it.each([
    ['500', 200, /response\.failed/],
    ['503', 503, /gateway_unavailable/],
    ['unready', 503, /gateway_unavailable/],
    ['401', 401, /unauthorized/],
  ] as const)('%s', async (mode, status, says) => {
    await echo.setFault(mode);
    const answer = await send('hello');
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(says)]);
    expect(await statusOf('/readyz')).toBe(mode === 'unready' ? 503 : 200);
    await echo.setFault('ok');
    expect(await say('hello')).toContain('echo from engineer');
  });

  it('reset', async () => {
    await echo.setFault('reset');
    await expect(send('hello')).rejects.toThrow('fetch failed');
  });

  it('hang', async () => {
    await echo.setFault('hang');
    const leaving = new AbortController();
    const hanging = send('hello', 's', leaving.signal);
    await expect.poll(openRuns).toBe(1);
    leaving.abort();
    await expect(hanging).rejects.toThrow('aborted');
    await expect.poll(openRuns).toBe(0);
  });

  it('are not there for a gateway that was started without', async () => {
    const plain = await startEchoGateway();
    await expect(plain.setFault('500')).rejects.toThrow();
    expect((await fetch(`${plain.url}/__runs`)).headers.get('content-type')).toContain('text/html');
    await plain.close();
  });

  it('are refused when they are unknown', async () => {
    const answer = await fetch(`${echo.url}/__faults`, { method: 'POST', body: '{"mode":"fire"}' });
    expect(answer.status).toBe(400);
  });
});

describe('the command', () => {
  it.each([
    [['--port', 'x'], /--port x is not a port/],
    [['--agents', ','], /--agents is empty/],
    [['--nope'], /Unknown option '--nope'/],
  ])('%j is told in one line', async (flags, says) => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(child, 'close');
    expect(child.exitCode).toBe(1);
    expect(said).toMatch(says);
    expect(said.trim()).not.toContain('\n');
  });

  it('says so when its port is taken', async () => {
    const port = Number(new URL(echo.url).port);
    await expect(startEchoGateway({ port })).rejects.toThrow(/did not start.*EADDRINUSE/);
  });
});

describe('tools', () => {
  const parameters = { type: 'object', properties: {} };
  const tool = (name: string) => ({ type: 'function', name, description: 'x', parameters });
  const run = async (input: string, tools: unknown[], stream = false) => {
    const response = await fetch(`${echo.url}/v1/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${echo.token}`, 'x-openclaw-session-key': 'agent:engineer:t' },
      body: JSON.stringify({ model: 'openclaw/engineer', stream, input, tools }),
    });
    return { status: response.status, text: await response.text() };
  };
  const outputOf = async (input: string, tools: unknown[]): Promise<object[]> =>
    (JSON.parse((await run(input, tools)).text) as { output: object[] }).output;
  const followUp = buildFollowUp({
    results: [{ name: 'task_status', output: '{"tool":"task_status","ok":true,"data":{}}' }],
    more: true,
    repeat: false,
    lastLine: 'Notification ID: n1',
  });

  it('calls what a message asks for, in plain words too, and tells what came back', async () => {
    expect(await outputOf('| please mark this task as in review', [tool('task_status')])).toMatchObject([
      { type: 'function_call', name: 'task_status', arguments: '{"status":"review"}' },
    ]);
    expect(JSON.stringify(await outputOf(followUp, [tool('task_status')]))).toContain(
      'echo from engineer: task_status {',
    );
    expect((await echo.runs()).runs[0]?.tools).toEqual(['task_status']);
  });

  it('calls several at once, and goes on in the rounds that follow', async () => {
    const tools = [tool('task_load'), tool('task_status')];
    const words =
      '| ECHO_TOOL:task_load\n| ECHO_TOOL:task_load {"messageLimit":1}\n| ECHO_THEN\n| ECHO_TOOL:task_status {"status":"review"}';
    expect(await outputOf(words, tools)).toHaveLength(2);
    expect(await outputOf(followUp, tools)).toMatchObject([{ name: 'task_status' }]);
    expect(await outputOf(followUp, tools)).toMatchObject([{ type: 'message' }]);
  });

  it('calls for ever when it is told to, but nothing that is not offered', async () => {
    const tools = [tool('task_load')];
    expect(await outputOf('| ECHO_FOREVER ECHO_TOOL:task_load', tools)).toHaveLength(1);
    for (let round = 0; round < 3; round++) {
      expect(await outputOf(followUp, tools)).toMatchObject([{ type: 'function_call' }]);
    }
    expect(await outputOf(followUp, [])).toMatchObject([{ type: 'message' }]);
    expect(JSON.stringify(await outputOf('| ECHO_TOOL:task_load', []))).toContain('is not offered');
  });

  it('refuses what OpenClaw refuses', async () => {
    for (const tools of [[tool('exec')], [tool('Read')], [tool('a'), tool('A')]]) {
      expect(await run('hello', tools)).toMatchObject({ status: 400 });
      const streamed = await run('hello', tools, true);
      expect(streamed.status).toBe(200);
      expect(streamed.text).toContain('invalid tool configuration');
    }
    const bare = await run('hello', [{ type: 'function', name: 'a', description: 'x' }], true);
    expect(bare.text).toContain('response.failed');
  });
});
