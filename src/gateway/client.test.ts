import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ToolSchema } from '../../machines/shared/tools.ts';
import { startEchoGateway } from '../local/echo-gateway/spawn.ts';
import type { EchoGateway } from '../local/echo-gateway/spawn.ts';
import type { Gateway, Reply } from '../ports.ts';
import { createGateway } from './client.ts';
import { aRun, faultFrom, serveHttp } from '../../test/kits/gateway-server.ts';
import type { TestServer } from '../../test/kits/gateway-server.ts';

describe('a run on a gateway', () => {
  let echo: EchoGateway;
  let gateway: Gateway;

  beforeAll(async () => {
    echo = await startEchoGateway({ faults: true, agents: ['squad-lead', 'engineer'], token: 't0ken' });
    gateway = createGateway({ url: `${echo.url}/`, token: echo.token, requestTimeoutMs: 5000 });
  });
  afterAll(() => echo.close());

  it('gives its text', async () => {
    expect(await gateway.respond(aRun())).toMatchObject({ text: 'echo from engineer: hello', calls: [] });
  });

  it('gives a text that comes slowly, whole', async () => {
    const text = (await gateway.respond(aRun({ input: 'ECHO_SLOW_BODY né😀' }))).text;
    expect(text).toBe('echo from engineer: ECHO_SLOW_BODY né😀');
  });

  it('may have an empty text', async () => {
    expect((await gateway.respond(aRun({ input: 'ECHO_EMPTY' }))).text).toBe('');
  });

  it('names its session after its agent, in lower case', async () => {
    await gateway.respond(aRun({ sessionKey: 'task:T9:agent:engineer:Acc:v1' }));
    const { runs } = await echo.runs();
    expect(runs.at(-1)).toMatchObject({
      sessionKey: 'agent:engineer:task:t9:agent:engineer:acc:v1',
      agent: 'engineer',
    });
  });

  it.each([
    ['ECHO_500', 'runFailed', /internal error/],
    ['ECHO_503', 'gatewayUnavailable', /HTTP 503/],
    ['ECHO_RESET', 'runCut', /broke off/],
  ])('%s ends as %s', async (input, kind, says) => {
    expect(await faultFrom(gateway.respond(aRun({ input })))).toMatchObject({
      kind,
      message: expect.stringMatching(says) as string,
    });
  });

  it('has left its session when it settles, however it ended', async () => {
    const sessionKey = 'busy';
    const giveUp = new AbortController();
    const hanging = gateway.respond(aRun({ sessionKey, input: 'ECHO_HANG', signal: giveUp.signal }));
    await expect.poll(async () => (await echo.runs()).runs.at(-1)?.sessionKey).toBe('agent:engineer:busy');
    giveUp.abort();
    expect((await faultFrom(hanging)).kind).toBe('aborted');
    const hasty = createGateway({ url: echo.url, token: echo.token, requestTimeoutMs: 200 });
    for (let turn = 0; turn < 5; turn += 1) {
      expect((await faultFrom(hasty.respond(aRun({ sessionKey, input: 'ECHO_HANG' })))).kind).toBe(
        'runTimedOut',
      );
      await gateway.respond(aRun({ sessionKey }));
      await faultFrom(gateway.respond(aRun({ sessionKey, input: 'ECHO_RESET' })));
    }
    expect((await echo.runs()).maxOpenPerSession['agent:engineer:busy']).toBe(1);
  });

  it('is given up when the client closes', async () => {
    const client = createGateway({ url: echo.url, token: echo.token, requestTimeoutMs: 5000 });
    const run = faultFrom(client.respond(aRun({ sessionKey: 'closing', input: 'ECHO_HANG' })));
    await client.close();
    expect((await run).kind).toBe('aborted');
    expect((await faultFrom(client.respond(aRun()))).kind).toBe('aborted');
  });
});

describe('a run that we will not send', () => {
  const gateway = createGateway({ url: 'http://127.0.0.1:9', token: 'x', requestTimeoutMs: 5000 });

  it.each(['', 'a b', 'a/b', 'a:b', 'é', '../x'])('refuses the slug %j', async (agentSlug) => {
    const fault = await faultFrom(gateway.respond(aRun({ agentSlug })));
    expect(fault).toMatchObject({
      kind: 'requestRejected',
      message: expect.stringContaining('slug') as string,
    });
  });

  it('refuses a session key that no header can carry', async () => {
    expect((await faultFrom(gateway.respond(aRun({ sessionKey: 'a\r\nx: y' })))).kind).toBe(
      'requestRejected',
    );
  });

  it('refuses a body over 5 MiB and names both sizes', async () => {
    const fault = await faultFrom(gateway.respond(aRun({ input: 'é'.repeat(2.6 * 2 ** 20) })));
    expect(fault.kind).toBe('requestRejected');
    expect(fault.message).toMatch(/54526\d\d bytes.*5242880/);
  });

  it('does not begin when it was given up before', async () => {
    expect((await faultFrom(gateway.respond(aRun({ signal: AbortSignal.abort() })))).kind).toBe('aborted');
  });

  it('says which setting cannot be sent', async () => {
    const client = createGateway({ url: 'http://127.0.0.1:9', token: 'two words', requestTimeoutMs: 5000 });
    const fault = await faultFrom(client.respond(aRun()));
    expect(fault).toMatchObject({ kind: 'gatewayMisconfigured' });
    expect(fault.message).toContain('OPENCLAW_GATEWAY_TOKEN');
    expect(fault.message).not.toContain('two words');
  });
});

describe('what is read from an answer', () => {
  let server: TestServer;
  afterEach(() => server.close());

  const message = (text: string): unknown => ({ type: 'message', content: [{ type: 'output_text', text }] });
  const call = { type: 'function_call', call_id: 'c1', name: 'task_status', arguments: '{}' };
  const resource = (status: string, output: unknown[]): object => ({ object: 'response', status, output });
  const delta = (text: string): object => ({ type: 'response.output_text.delta', delta: text });
  const ended = (status: string, output: unknown[]): object => ({
    type: `response.${status}`,
    response: resource(status, output),
  });

  async function replyTo(type: string, body: string): Promise<Reply> {
    server = await serveHttp((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': type }).end(body);
    });
    return createGateway({ url: server.url, token: '', requestTimeoutMs: 5000 }).respond(aRun());
  }
  const stream = (...events: object[]): Promise<Reply> =>
    replyTo('text/event-stream', events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));

  it('prefers the text of the end to what came before', async () => {
    const reply = await stream(delta('draft'), ended('completed', [message('final')]));
    expect(reply).toMatchObject({ text: 'final', calls: [] });
  });

  it('takes what came before when the end has no text', async () => {
    expect(await stream(delta('a'), delta('b'), ended('completed', []))).toMatchObject({
      text: 'ab',
      calls: [],
    });
  });

  it('takes an incomplete response for a reply', async () => {
    expect((await stream(ended('incomplete', [message('cut')]))).text).toBe('cut');
  });

  it('gives the calls of tools', async () => {
    const reply = await stream(ended('completed', [message('one moment'), call, call]));
    const asked = { callId: 'c1', name: 'task_status', arguments: '{}' };
    expect(reply).toMatchObject({ text: 'one moment', toolCalls: 2, calls: [asked, asked] });
  });

  it('gives the arguments of a call as text, whatever they are', async () => {
    const odd = (given: unknown): unknown => ({ ...call, arguments: given });
    const reply = await stream(ended('completed', [odd('{oops'), odd({ a: 1 }), odd(undefined)]));
    expect(reply.calls.map((asked) => asked.arguments)).toEqual(['{oops', '{"a":1}', '']);
  });

  it('tells the tokens, when the gateway does', async () => {
    const usage = { input_tokens: 11, output_tokens: 7, total_tokens: 18 };
    const response = { ...resource('completed', []), usage };
    const reply = await stream({ type: 'response.completed', response });
    expect(reply.usage).toEqual({ inputTokens: 11, outputTokens: 7 });
    await server.close();
    expect(await stream(ended('completed', [])).then((other) => other.usage)).toBeNull();
  });

  it('tells why an answer stops short', async () => {
    const details = { incomplete_details: { reason: 'max_output_tokens' } };
    const response = { ...resource('incomplete', [message('cut')]), ...details };
    expect(await stream({ type: 'response.incomplete', response })).toMatchObject({
      text: 'cut',
      cut: 'max_output_tokens',
    });
  });

  it('joins several messages and passes over items that it does not know', async () => {
    const output = [
      message('a'),
      { type: 'reasoning', summary: [] },
      7,
      null,
      { type: 'message', content: 'b' },
    ];
    expect((await stream(ended('completed', output))).text).toBe('a\n\nb');
  });

  it('reads plain JSON as well', async () => {
    const reply = await replyTo(
      'application/json; charset=utf-8',
      JSON.stringify(resource('completed', [message('hi')])),
    );
    expect(reply).toMatchObject({ text: 'hi', calls: [] });
  });

  it('reads JSON that has no type', async () => {
    server = await serveHttp((request, response) => {
      request.resume();
      response.end(JSON.stringify(resource('completed', [message('hi')])));
    });
    const gateway = createGateway({ url: server.url, token: '', requestTimeoutMs: 5000 });
    expect((await gateway.respond(aRun())).text).toBe('hi');
  });

  it('reads the type of an event from its name when the data has none', async () => {
    const data = JSON.stringify({ response: resource('completed', [message('named')]) });
    expect((await replyTo('text/event-stream', `event: response.completed\ndata: ${data}\n\n`)).text).toBe(
      'named',
    );
  });
});

describe('what a request holds', () => {
  let server: TestServer;
  let bodies: string[];
  let gateway: Gateway;

  beforeEach(async () => {
    bodies = [];
    server = await serveHttp((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ object: 'response', status: 'completed', output: [] }));
      });
    });
    gateway = createGateway({ url: server.url, token: '', requestTimeoutMs: 5000 });
  });
  afterEach(() => server.close());

  const tool: ToolSchema = {
    type: 'function',
    name: 'task_status',
    description: 'Sets the status of a task.',
    parameters: { type: 'object', properties: {} },
  };

  it('is the same bytes as ever without tools', async () => {
    await gateway.respond(aRun());
    await gateway.respond(aRun({ tools: [] }));
    const recorded = '{"model":"openclaw/engineer","stream":true,"instructions":"Answer.","input":"hello"}';
    expect(bodies).toEqual([recorded, recorded]);
  });

  it('is well-formed: half a character is U+FFFD, and NUL is left out', async () => {
    const odd = 'a\ud83db\0c\u0007\u202e😀';
    const right = 'a\ufffdbc\u0007\u202e😀';
    await gateway.respond(aRun({ instructions: odd, input: odd }));
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ instructions: right, input: right });
    expect(bodies.every((body) => body.isWellFormed() && !/\\u0000|\\ud83d"/.test(body))).toBe(true);
  });

  it('offers tools', async () => {
    await gateway.respond(aRun({ tools: [tool] }));
    expect(JSON.parse(bodies[0] ?? '')).toEqual({
      model: 'openclaw/engineer',
      stream: true,
      instructions: 'Answer.',
      input: 'hello',
      tools: [tool],
    });
  });
});

it('says whenever the gateway sends something', async () => {
  let more = (): void => undefined;
  const server = await serveHttp((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': waiting\n\n');
    more = () => {
      const ended = { object: 'response', status: 'completed', output: [] };
      response.end(`data: ${JSON.stringify({ type: 'response.completed', response: ended })}\n\n`);
    };
  });
  let signs = 0;
  const gateway = createGateway({ url: server.url, token: 't', requestTimeoutMs: 5000 });
  const run = gateway.respond(aRun({ onSign: () => void (signs += 1) }));
  await expect.poll(() => signs).toBe(2);
  more();
  await run;
  expect(signs).toBeGreaterThan(2);
  await server.close();
});

it('keeps a gateway behind a path prefix', async () => {
  const server = await serveHttp((request, response) => {
    request.resume();
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `Unknown agent at ${request.url ?? ''}` } }));
  });
  const gateway = createGateway({ url: `${server.url}/prefix?x=1`, token: 't', requestTimeoutMs: 5000 });
  expect((await faultFrom(gateway.respond(aRun()))).message).toContain('/prefix/v1/responses');
  await server.close();
});

it('does not keep the process alive', async () => {
  const script = `
    import { createGateway } from ${JSON.stringify(new URL('client.ts', import.meta.url).href)};
    const gateway = createGateway({ url: 'http://127.0.0.1:9', token: 't', requestTimeoutMs: 3600000 });
    const run = { agentSlug: 'a', sessionKey: 'k', instructions: '', input: 'x', signal: new AbortController().signal };
    await gateway.respond(run).catch((error) => process.stdout.write(error.kind));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await once(child, 'close');
  expect([child.exitCode, said]).toEqual([0, 'gatewayUnavailable']);
});
