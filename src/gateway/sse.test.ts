import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseParser, SseTooLongError } from './sse.ts';
import type { SseEvent } from './sse.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const parse = (...chunks: (string | Uint8Array)[]): SseEvent[] => {
  const parser = createSseParser(1000);
  return chunks.flatMap((chunk) => parser.push(typeof chunk === 'string' ? bytes(chunk) : chunk));
};

describe('createSseParser', () => {
  it.each([
    ['LF', 'event: a\ndata: 1\n\n'],
    ['CRLF', 'event: a\r\ndata: 1\r\n\r\n'],
    ['CR', 'event: a\rdata: 1\r\r'],
    ['no space after the colon', 'event:a\ndata:1\n\n'],
    ['comments and unknown fields', ': hello\nid: 7\nretry: 10\nevent: a\nnonsense\ndata: 1\n\n'],
    ['a byte order mark', '\uFEFFevent: a\ndata: 1\n\n'],
  ])('reads an event with %s', (_name, text) => {
    expect(parse(text)).toEqual([{ name: 'a', data: '1' }]);
  });

  it('joins the lines of data and keeps inner spaces', () => {
    expect(parse('data: a\ndata\ndata:  b\n\n')).toEqual([{ name: 'message', data: 'a\n\n b' }]);
  });

  it('forgets the name of an event without data', () => {
    expect(parse('event: a\n\ndata: 1\n\n')).toEqual([{ name: 'message', data: '1' }]);
  });

  it('drops an event that the end of the stream leaves unfinished', () => {
    expect(parse('data: 1\n\ndata: 2\n')).toEqual([{ name: 'message', data: '1' }]);
  });

  it('takes a CRLF that two chunks share for one line end', () => {
    expect(parse('data: 1\r', '\n\r', '\ndata: 2\r\n', '\r\n')).toHaveLength(2);
  });

  it('joins a character that two chunks share', () => {
    const text = bytes('data: é😀\n\n');
    expect(parse(text.slice(0, 7), text.slice(7, 10), text.slice(10))).toEqual([
      { name: 'message', data: 'é😀' },
    ]);
  });

  it('gives up an event over the limit, in one line or in many', () => {
    expect(() => parse('data: ', 'x'.repeat(1000))).toThrow(SseTooLongError);
    expect(() => parse('data: xxxxxxxxx\n'.repeat(100))).toThrow(SseTooLongError);
  });

  it('counts one event at a time', () => {
    expect(parse('data: xxxxxxxxx\n\n'.repeat(500))).toHaveLength(500);
  });

  it('gives the same events for any chunking', () => {
    const line = fc.constantFrom(
      'data: é',
      'data:😀x',
      'data',
      'event: a',
      ': c',
      '',
      '',
      'id: 1',
      'data: {"a":1}',
    );
    const end = fc.constantFrom('\n', '\r\n', '\r');
    const stream = fc
      .array(fc.tuple(line, end).map(([text, eol]) => text + eol))
      .map((lines) => bytes(lines.join('')));
    const cuts = fc.array(fc.nat(200)).map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(stream, cuts, (whole, at) => {
        const bounds = [0, ...at.filter((cut) => cut < whole.length), whole.length];
        const chunks = bounds.slice(1).map((to, index) => whole.slice(bounds[index], to));
        expect(parse(...chunks)).toEqual(parse(whole));
      }),
      { numRuns: 500 },
    );
  });
});
