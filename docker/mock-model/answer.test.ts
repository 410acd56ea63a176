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

const answer = (prompt: string, ...results: string[]) =>
  answerTo({ prompt, results, system: 'be good\nbe calm' });

test('it says back what it is told of itself, where it is asked for that', () => {
  expect(answer('x\n| mock:system=/calm|quiet/ please\n\nNotification ID: n1').text).toBe(
    'mock reply: be calm',
  );
});

test('a message with calls is answered with them, and then with what they gave back', () => {
  const prompt =
    'x\n| please\n| mock:tool=exec {"command":"env"}\n| mock:tool=read {"path":"a"}\n\nNotification ID: n1';
  expect(answer(prompt).calls).toEqual([
    { name: 'exec', arguments: '{"command":"env"}' },
    { name: 'read', arguments: '{"path":"a"}' },
  ]);
  expect(answer(prompt, 'A=1', '@engineer')).toEqual({
    text: 'mock reply: A=1\nengineer',
    calls: [],
    delayMs: 0,
  });
  // Only what a person wrote counts, not what a tool quotes.
  expect(answer('mock:tool=exec {"command":"env"}').calls).toEqual([]);
});

test('the last quoted message is said back, whole and without waking anybody', () => {
  expect(answer(PROMPT)).toEqual({ text: 'mock reply: engineer look,\n\nplease', calls: [], delayMs: 0 });
});

test('a delay counts in that message alone, and has an end', () => {
  expect(answer(PROMPT).delayMs).toBe(0);
  expect(answer('x\n| please mock:delay=7s\n\nNotification ID: n1').delayMs).toBe(7_000);
  expect(answer('x\n| please mock:delay=999s\n\nNotification ID: n1').delayMs).toBe(120_000);
});

test('there is nothing to say to an answer of its own and to a heartbeat', () => {
  expect(answer('x\n| mock reply: hello\n\nNotification ID: n1').text).toBe('HEARTBEAT_OK');
  const { input } = buildBeatPrompt({
    agent: { name: 'Engineer', slug: 'engineer', role: 'r' },
    tasks: [],
    focus: null,
    thread: [],
    isOrchestrator: false,
  });
  expect(answer(input).text).toBe('HEARTBEAT_OK');
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
    { role: 'tool', content: 'out' },
  ];
  expect(parseRequest(JSON.stringify({ messages, stream: true }))).toEqual({
    prompt: 'two',
    results: ['out'],
    system: 'be good',
    stream: true,
  });
  expect(parseRequest(JSON.stringify({ messages: [{ role: 'user', content: 'one' }] }))).toEqual({
    prompt: 'one',
    results: [],
    system: '',
    stream: false,
  });
  for (const body of ['', 'null', '{}', '{"messages":1}', '[']) expect(parseRequest(body)).toBeNull();
});
