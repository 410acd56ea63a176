import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEchoGateway } from '../local/echo-gateway/spawn.ts';
import type { EchoGateway } from '../local/echo-gateway/spawn.ts';
import { gatewayErrorOf, isRunAnswer } from './answer.ts';
import { findRealGateway } from '../../test/kits/gateway-server.ts';

/** What of an answer must be alike: how it is classified, not its words. */
interface AnswerClass {
  status: number;
  type: string;
  body: 'run completed' | 'run failed' | 'gateway error' | 'json' | 'text';
}

interface Case {
  what: string;
  path?: string;
  method?: string;
  token?: string;
  headers?: Record<string, string>;
  json?: unknown;
  raw?: string;
  expected: AnswerClass;
}

const KEY = 'x-openclaw-session-key';
const AGENT = 'x-openclaw-agent-id';
const own = (name: string): Record<string, string> => ({ [KEY]: `agent:engineer:conformance:${name}` });
const body = { model: 'openclaw/engineer', input: 'hello' };

const COMPLETED: AnswerClass = { status: 200, type: 'application/json', body: 'run completed' };
const STREAMED: AnswerClass = { status: 200, type: 'text/event-stream', body: 'run completed' };
const FAILED: AnswerClass = { status: 500, type: 'application/json', body: 'run failed' };
const rejected = (status: number): AnswerClass => ({
  status,
  type: 'application/json',
  body: 'gateway error',
});
const plain = (status: number): AnswerClass => ({ status, type: 'text/plain', body: 'text' });
const JSON_200: AnswerClass = { status: 200, type: 'application/json', body: 'json' };

const cases: Case[] = [
  { what: 'a plain run', headers: own('plain'), json: body, expected: COMPLETED },
  { what: 'a streamed run', headers: own('stream'), json: { ...body, stream: true }, expected: STREAMED },
  {
    what: 'instructions',
    headers: own('inst'),
    json: { ...body, instructions: 'Be kind.' },
    expected: COMPLETED,
  },
  {
    what: 'a message item',
    headers: own('item'),
    json: { ...body, input: [{ type: 'message', role: 'user', content: 'hi' }] },
    expected: COMPLETED,
  },
  {
    what: 'a message of parts',
    headers: own('parts'),
    json: {
      ...body,
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
    },
    expected: COMPLETED,
  },
  {
    what: 'the old spelling of a model',
    headers: own('old'),
    json: { ...body, model: 'openclaw:engineer' },
    expected: COMPLETED,
  },
  { what: 'no session key', json: body, expected: COMPLETED },
  { what: 'a user instead of a key', json: { ...body, user: 'conformance' }, expected: COMPLETED },
  {
    what: 'the agent in the header alone',
    headers: { ...own('head'), [AGENT]: 'engineer' },
    json: { ...body, model: 'openclaw' },
    expected: COMPLETED,
  },
  {
    what: 'a key without its agent',
    headers: { [KEY]: 'task:t1:agent:engineer:acc1:v1' },
    json: body,
    expected: FAILED,
  },
  { what: 'a key of an unknown agent', headers: { [KEY]: 'agent:nosuch:x' }, json: body, expected: FAILED },
  { what: 'a reserved key', headers: { [KEY]: 'cron:x' }, json: body, expected: rejected(400) },
  {
    what: 'a reserved key of an agent',
    headers: { [KEY]: 'agent:engineer:subagent:x' },
    json: body,
    expected: rejected(400),
  },
  {
    what: 'an unknown agent in the model',
    headers: own('x'),
    json: { ...body, model: 'openclaw/nosuch' },
    expected: rejected(400),
  },
  {
    what: 'an unknown agent in the header',
    headers: { ...own('x'), [AGENT]: 'nosuch' },
    json: body,
    expected: rejected(400),
  },
  { what: 'no agent at all', json: { ...body, model: 'openclaw' }, expected: rejected(400) },
  { what: 'another model', headers: own('x'), json: { ...body, model: 'gpt' }, expected: rejected(400) },
  { what: 'no model', headers: own('x'), json: { input: 'hello' }, expected: rejected(400) },
  { what: 'no input', headers: own('x'), json: { model: 'openclaw/engineer' }, expected: rejected(400) },
  { what: 'an empty input', headers: own('x'), json: { ...body, input: '' }, expected: rejected(400) },
  { what: 'an unknown field', headers: own('x'), json: { ...body, foo: 1 }, expected: rejected(400) },
  { what: 'an empty object', json: {}, expected: rejected(400) },
  { what: 'broken JSON', raw: '{oops', expected: rejected(400) },
  { what: 'a wrong token', token: 'wrong', json: body, expected: rejected(401) },
  { what: 'a wrong method', method: 'GET', expected: plain(405) },
  { what: 'the list of models', method: 'GET', path: '/v1/models', expected: JSON_200 },
  { what: 'one model', method: 'GET', path: '/v1/models/openclaw%2Fengineer', expected: JSON_200 },
  {
    what: 'a model that is not there',
    method: 'GET',
    path: '/v1/models/openclaw%2Fnosuch',
    expected: rejected(404),
  },
  {
    what: 'models with a wrong token',
    method: 'GET',
    path: '/v1/models',
    token: 'wrong',
    expected: rejected(401),
  },
  { what: 'readiness', method: 'GET', path: '/readyz', expected: JSON_200 },
  { what: 'start-up', method: 'GET', path: '/startupz', expected: JSON_200 },
  { what: 'liveness', method: 'GET', path: '/healthz', expected: JSON_200 },
  { what: 'an unknown endpoint', method: 'GET', path: '/v1/nothing', expected: plain(404) },
  {
    what: 'an unknown path',
    method: 'GET',
    path: '/nothing',
    expected: { status: 200, type: 'text/html', body: 'text' },
  },
];

async function ask(url: string, ours: string, request: Case): Promise<AnswerClass> {
  const { method = 'POST', path = '/v1/responses', token = ours, headers = {}, json, raw } = request;
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: method === 'GET' ? null : (raw ?? JSON.stringify(json)),
  });
  const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
  return { status: answer.status, type, body: bodyClass(type, await answer.text()) };
}

function bodyClass(type: string, text: string): AnswerClass['body'] {
  if (type === 'text/event-stream')
    return text.includes('event: response.completed') ? 'run completed' : 'run failed';
  if (type !== 'application/json') return 'text';
  const parsed: unknown = JSON.parse(text);
  if (isRunAnswer(parsed)) return text.includes('"status":"completed"') ? 'run completed' : 'run failed';
  return gatewayErrorOf(parsed) === null ? 'json' : 'gateway error';
}

describe('the echo gateway answers in the same class', () => {
  let echo: EchoGateway;
  beforeAll(async () => {
    echo = await startEchoGateway({ agents: ['squad-lead', 'engineer'], token: 'lab' });
  });
  afterAll(() => echo.close());

  it.each(cases)('$what', async (request) => {
    expect(await ask(echo.url, echo.token, request)).toEqual(request.expected);
  });
});

const real = await findRealGateway();
if ('missing' in real) {
  it.skip(`the real gateway answers so (skipped: ${real.missing})`, () => undefined);
} else {
  describe('the real gateway answers so', () => {
    it.each(cases)('$what', async (request) => {
      expect(await ask(real.url, real.token, request)).toEqual(request.expected);
    });
  });
}
