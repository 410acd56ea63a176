import { expect, test } from 'vitest';
import { buildBeatPrompt } from '../../src/gateway/beat-prompt.ts';
import { buildFollowUp } from '../../src/gateway/prompt-tools.ts';
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
  answerTo({ prompt, results, tools: [], system: 'be good\nbe calm' });

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
    tools: [],
    system: 'be good',
    stream: true,
  });
  expect(parseRequest(JSON.stringify({ messages: [{ role: 'user', content: 'one' }] }))).toEqual({
    prompt: 'one',
    results: [],
    tools: [],
    system: '',
    stream: false,
  });
  for (const body of ['', 'null', '{}', '{"messages":1}', '[']) expect(parseRequest(body)).toBeNull();
});

test('a status is changed in plain words, by the tool or through the tool search that hides it', () => {
  const prompt = 'x\n| @engineer please mark this task as in review\n\nNotification ID: n1';
  const callsWith = (...tools: string[]) => answerTo({ prompt, tools, results: [], system: '' }).calls;
  const call = { name: 'task_status', arguments: '{"status":"review"}' };
  expect(callsWith('task_status', 'tool_call')).toEqual([call]);
  expect(callsWith('tool_call', 'exec')).toEqual([
    { name: 'tool_call', arguments: '{"id":"task_status","args":{"status":"review"}}' },
  ]);
});

test('what the runtime answers to its tools is told', () => {
  const followUp = buildFollowUp({
    results: [{ name: 'task_status', output: '{"tool":"task_status","ok":true}' }],
    more: true,
    repeat: true,
    lastLine: 'Notification ID: n1',
  });
  expect(answer(followUp).text).toBe('mock reply: task_status {"tool":"task_status","ok":true}');
});

test('the tools of a request are known by name', () => {
  const tools = [{ type: 'function', function: { name: 'task_load' } }, { type: 'other' }];
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'one' }], tools });
  expect(parseRequest(body)?.tools).toEqual(['task_load']);
});
