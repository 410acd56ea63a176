/** Streams that tell the answer in another way: one run each, and the text. */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  completed,
  CREATED,
  delta,
  DONE,
  event,
  message,
  refusal,
  text,
  typed,
  wiresOf,
} from '../../test/kits/answer-streams.ts';
import { aRun, faultFrom, serveHttp } from '../../test/kits/gateway-server.ts';
import type { TestServer } from '../../test/kits/gateway-server.ts';
import type { Reply } from '../ports.ts';
import { createGateway } from './client.ts';
import { readStream } from './stream.ts';
import { createTarget } from './target.ts';

const FINE = message(text('All fine.'));

let server: TestServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

interface Heard extends Reply {
  unreadable: string[];
}

/** The reply of a gateway that answers with this body. */
async function replyTo(
  body: string | Buffer,
  type = 'text/event-stream',
  { status = 200, ...headers }: { status?: number; 'content-encoding'?: string } = {},
): Promise<Heard> {
  let runs = 0;
  server = await serveHttp((request, response) => {
    runs += 1;
    request.resume();
    response.writeHead(status, { 'content-type': type, ...headers }).end(body);
  });
  const unreadable: string[] = [];
  const gateway = createGateway({
    url: server.url,
    token: 'tok-en-42',
    requestTimeoutMs: 30_000,
    onUnreadable: (problem) => unreadable.push(problem),
  });
  const reply = await gateway.respond(aRun());
  expect(runs).toBe(1);
  return { ...reply, unreadable };
}

describe('what is not needed to know the reply', () => {
  it.each([
    ['an empty event', 'data:\n\n', 0],
    ['an event of a space', 'data: \n\n', 0],
    ['a comment', ': keep-alive\n\n', 0],
    ['an event without data', 'event: keepalive\n\n', 0],
    ['an empty object', 'data: {}\n\n', 0],
    ['fields of the protocol', 'id: 7\nretry: 1000\n\n', 0],
    ['an unknown event', event({ type: 'response.mood', mood: 7 }), 0],
    ['an unknown event with odd fields', event({ type: 7, delta: 7, output_index: 'x', item: [] }), 0],
    ['a word', 'data: ping\n\n', 1],
    ['a named word', 'event: ping\ndata: 2026-01-01T00:00:00Z\n\n', 1],
    ['a line of JSON that is cut off', 'data: {"type":"response.outp\n\n', 1],
    ['null', 'data: null\n\n', 1],
    ['a number', 'data: 123\n\n', 1],
    ['a list', 'data: []\n\n', 0],
    ['a broken line', '{"type":"resp\n\n', 0],
  ])('%s', async (_name, piece, warnings) => {
    const bodies = [
      CREATED + delta('All fine.') + piece + completed(FINE) + DONE,
      piece + CREATED + piece + delta('All ') + piece + delta('fine.') + piece + completed() + DONE,
    ];
    for (const body of bodies) {
      const { text: said, unreadable } = await replyTo(body);
      expect(said).toBe('All fine.');
      expect(unreadable).toHaveLength(warnings);
      await server?.close();
    }
  });

  it('garbage after the end, and an end without an empty line', async () => {
    expect((await replyTo(`${completed(FINE)}{oops\n\n`)).text).toBe('All fine.');
    await server?.close();
    expect((await replyTo(completed(FINE).trimEnd())).text).toBe('All fine.');
  });

  it('a mark of byte order and lines that end as on Windows', async () => {
    const body = `\uFEFF${CREATED}${completed(FINE)}${DONE}`.replaceAll('\n', '\r\n');
    expect((await replyTo(body)).text).toBe('All fine.');
  });

  it('is told once, with what it was', async () => {
    const { unreadable } = await replyTo(`data: ping\n\n${'data: pong\n\n'.repeat(9)}${completed(FINE)}`);
    expect(unreadable).toEqual([
      'The answer of engineer held 10 events that could not be read and were left out, the first: "ping".',
    ]);
  });
});

describe('the text is known', () => {
  const itemDone = (item: object, fields = {}): string =>
    event({ type: 'response.output_item.done', item, ...fields });
  const ended = (response: object, type = 'completed'): string => typed(type, { response });

  it.each<[string, string, string]>([
    ['from a finished item', itemDone(FINE) + completed(), 'All fine.'],
    [
      'from a finished item after its words',
      delta('All') + itemDone(FINE, { output_index: 0 }) + DONE,
      'All fine.',
    ],
    ['from the end of a text', typed('output_text.done', { text: 'In done.' }) + completed(), 'In done.'],
    [
      'from the end of a part',
      typed('content_part.done', { part: text('In part.') }) + completed(),
      'In part.',
    ],
    ['from a refusal', completed(message(refusal('I cannot help.'))), 'I cannot help.'],
    [
      'from a refusal in words',
      typed('refusal.delta', { delta: 'I ' }) + typed('refusal.delta', { delta: 'cannot.' }) + completed(),
      'I cannot.',
    ],
    ['from the end of a refusal', typed('refusal.done', { refusal: 'I cannot.' }) + completed(), 'I cannot.'],
    [
      'from a text and a refusal',
      completed(message(text('Partly.'), refusal('The rest I cannot.'))),
      'Partly.\n\nThe rest I cannot.',
    ],
    [
      'from a text and a refusal in words',
      delta('Partly.') + typed('refusal.delta', { delta: 'No more.' }) + completed(),
      'Partly.\n\nNo more.',
    ],
    [
      'from an item that is finished before its text, and told once',
      itemDone(FINE) + typed('output_text.done', { text: 'All fine.' }) + completed(),
      'All fine.',
    ],
    ['without an end, from an item', delta('All') + itemDone(FINE) + DONE, 'All fine.'],
    ['without an end or a mark, from an item', delta('All') + itemDone(FINE), 'All fine.'],
    ['without an end, from words and a mark', delta('All ') + delta('fine.') + DONE, 'All fine.'],
    ['from an end without a status', delta('All fine.') + ended({ output: [] }), 'All fine.'],
    ['from an end without a response', delta('All fine.') + typed('completed'), 'All fine.'],
    ['from a part of another name', completed(message({ type: 'text', text: 'All fine.' })), 'All fine.'],
    ['from the top', ended({ status: 'completed', output_text: 'All fine.' }), 'All fine.'],
    ['from words alone', delta('All ') + delta('fine.') + completed(), 'All fine.'],
    [
      'with an output of null',
      delta('All fine.') + ended({ status: 'completed', output: null }),
      'All fine.',
    ],
    ['after a thought', completed({ type: 'reasoning', summary: [] }, FINE), 'All fine.'],
    [
      'of two items in words',
      typed('output_text.delta', { delta: 'a', output_index: 0 }) +
        typed('output_text.delta', { delta: 'b', output_index: 1 }) +
        completed(),
      'a\n\nb',
    ],
    [
      'of items that are named in two ways',
      typed('output_text.delta', { delta: 'dra', item_id: 'm1' }) +
        itemDone({ ...FINE, id: 'm1' }, { output_index: 0 }) +
        DONE,
      'All fine.',
    ],
    ['of an incomplete answer', ended({ status: 'incomplete', output: [FINE] }, 'incomplete'), 'All fine.'],
  ])('%s', async (_name, body, said) => {
    expect((await replyTo(CREATED + body)).text).toBe(said);
  });

  it('for a call in a finished item', async () => {
    const call = { type: 'function_call', call_id: 'c1', name: 'task_status', arguments: '{}' };
    const { calls } = await replyTo(CREATED + itemDone(call) + completed());
    expect(calls).toEqual([{ callId: 'c1', name: 'task_status', arguments: '{}' }]);
  });

  it('to be cut, and why', async () => {
    const response = {
      status: 'incomplete',
      output: [],
      incomplete_details: { reason: 'content_filter' },
    };
    expect(await replyTo(CREATED + ended(response, 'incomplete'))).toMatchObject({
      text: '[The answer was cut before its first word: content_filter.]',
      cut: 'content_filter',
    });
    await server?.close();
    const plain = JSON.stringify({ object: 'response', ...response });
    expect(await replyTo(plain, 'application/json')).toMatchObject({ cut: 'content_filter' });
  });
});

describe('an answer of another type', () => {
  it.each(['text/plain', 'text/plain; charset=utf-8', 'application/json', 'application/octet-stream', ''])(
    '%j over a stream is read by its first bytes',
    async (type) => {
      expect((await replyTo(CREATED + completed(FINE) + DONE, type)).text).toBe('All fine.');
    },
  );

  it('is JSON when it begins so', async () => {
    const body = JSON.stringify({ object: 'response', status: 'completed', output: [FINE] });
    expect((await replyTo(body, 'text/plain')).text).toBe('All fine.');
  });

  it.each(['text/event-stream', 'application/json'])('is JSON without its kind, as %s', async (type) => {
    const body = JSON.stringify({ status: 'completed', output: [FINE] });
    expect((await replyTo(body, type)).text).toBe('All fine.');
  });

  it('is one with any status of success', async () => {
    expect((await replyTo(completed(FINE), undefined, { status: 201 })).text).toBe('All fine.');
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('is one when a proxy compressed it: %s', async (coding, compress) => {
    const body = compress(CREATED + completed(FINE) + DONE);
    const heard = await replyTo(body, undefined, { 'content-encoding': coding });
    expect(heard.text).toBe('All fine.');
  });

  it('is cut when its compression is broken', async () => {
    const fault = await faultFrom(replyTo('no gzip', undefined, { 'content-encoding': 'gzip' }));
    expect(fault).toMatchObject({ kind: 'runCut' });
  });

  it('is none when it is a text', async () => {
    expect(await faultFrom(replyTo('Hello there', 'text/plain'))).toMatchObject({
      kind: 'runCut',
      message: expect.stringContaining('text/plain') as string,
    });
  });
});

describe('a reply of six million characters', () => {
  const long = 'é '.repeat(3_000_000);
  const item = message(text(long));
  const done = event({ type: 'response.output_text.done', text: long });

  it.each([
    ['in one event after the other', CREATED + delta(long) + done + completed(item) + DONE],
    ['at the end alone', CREATED + completed(item) + DONE],
  ])('%s is one run, and cut', async (_name, body) => {
    const reply = await replyTo(body);
    expect(reply.text).toHaveLength(200_000);
    expect(long.startsWith(reply.text)).toBe(true);
  });

  it('is one run as plain JSON', async () => {
    const body = JSON.stringify({ object: 'response', status: 'completed', output: [item] });
    expect((await replyTo(body, 'application/json')).text).toHaveLength(200_000);
  });
});

const wires = wiresOf(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }));

describe('whatever the stream', () => {
  it('as long as the text is known, that is the reply', async () => {
    await fc.assert(
      fc.asyncProperty(wires, async ({ chunks, said, breaks }) => {
        const target = createTarget('http://127.0.0.1:9', '');
        const { reply } = await readStream(sent(chunks, breaks), target, 1_000_000);
        expect(reply.text).toBe(said);
      }),
      { numRuns: 1_000 },
    );
  });

  it('that is one run of the gateway', async () => {
    await fc.assert(
      fc.asyncProperty(wires, async ({ chunks, said }) => {
        expect((await replyTo(Buffer.concat(chunks))).text).toBe(said);
        await server?.close();
      }),
      { numRuns: 50 },
    );
  });
});

async function* sent(chunks: readonly Buffer[], breaks: boolean): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield* chunks;
  if (breaks) throw new Error('The connection broke.');
}
