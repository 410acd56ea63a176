import { expect, test } from 'vitest';
import { buildBeatPrompt } from '../../src/gateway/prompt.ts';
import { answerTo, parseRequest } from './answer.ts';

const PROMPT = `## Thread, oldest message first
| [2026-01-01T00:00:00.000Z] Ada (user):
| | an old one, mock:delay=9s

## Message to answer
| @engineer look,
|
| please

Notification ID: n1`;

test('the last quoted message is said back, whole and without waking anybody', () => {
  expect(answerTo({ prompt: PROMPT })).toEqual({ text: 'mock reply: engineer look,\n\nplease', delayMs: 0 });
});

test('a delay counts in that message alone, and has an end', () => {
  expect(answerTo({ prompt: PROMPT }).delayMs).toBe(0);
  expect(answerTo({ prompt: 'x\n| please mock:delay=7s\n\nNotification ID: n1' }).delayMs).toBe(7_000);
  expect(answerTo({ prompt: 'x\n| please mock:delay=999s\n\nNotification ID: n1' }).delayMs).toBe(120_000);
});

test('there is nothing to say to an answer of its own and to a heartbeat', () => {
  expect(answerTo({ prompt: 'x\n| mock reply: hello\n\nNotification ID: n1' }).text).toBe('HEARTBEAT_OK');
  const { input } = buildBeatPrompt({
    agent: { name: 'Engineer', slug: 'engineer', role: 'r' },
    tasks: [],
    focus: null,
    thread: [],
    isOrchestrator: false,
  });
  expect(answerTo({ prompt: input }).text).toBe('HEARTBEAT_OK');
});

test('a request is read in both forms of content; what is none is refused', () => {
  const parts = [{ type: 'text', text: 'two' }, { type: 'image_url' }];
  const messages = [
    { role: 'system', content: 'be good' },
    { role: 'user', content: 'one' },
    { role: 'user', content: parts },
    {
      role: 'user',
      content: '<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nx\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>',
    },
    { role: 'assistant', content: 'so' },
  ];
  expect(parseRequest(JSON.stringify({ messages, stream: true }))).toEqual({ prompt: 'two', stream: true });
  expect(parseRequest(JSON.stringify({ messages: [{ role: 'user', content: 'one' }] }))).toEqual({
    prompt: 'one',
    stream: false,
  });
  for (const body of ['', 'null', '{}', '{"messages":1}', '[']) expect(parseRequest(body)).toBeNull();
});
