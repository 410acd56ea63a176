import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastQuote } from '../local/echo-gateway/prompt.ts';
import { cut, oneLine, quote } from './text.ts';

describe('cut', () => {
  it('leaves a text that fits', () => {
    expect(cut('abc', 3)).toBe('abc');
  });

  it('marks what it cuts, within the size', () => {
    expect(cut('abcd', 3)).toBe('ab…');
  });

  it('does not split a surrogate pair', () => {
    expect(cut('ab😀cd', 4)).toBe('ab…');
  });

  it('is never over the size and never breaks a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, max) => {
        const short = cut(text, max);
        expect(short.length).toBeLessThanOrEqual(max);
        expect(short.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('oneLine', () => {
  it('turns line ends and control characters into spaces', () => {
    expect(oneLine(' a\r\nb\u2028c\u0007d ', 50)).toBe('a b c d');
  });
});

describe('quote', () => {
  it('puts the mark before every line, whatever ends the line', () => {
    const text = 'a\nb\r\nc\rd\ve\ff\u0085g\u2028h\u2029i';
    expect(quote(text)).toBe('| a\n| b\n| c\n| d\n| e\n| f\n| g\n| h\n| i');
  });

  it('comes back from the end of any prompt', () => {
    const text = fc.array(
      fc.string({ unit: 'grapheme' }).filter((line) => !/[\n\r\v\f\u0085\u2028\u2029]/.test(line)),
      {
        minLength: 1,
      },
    );
    fc.assert(
      fc.property(text, text, (older, newest) => {
        const prompt = `# A\n${quote(older.join('\n'))}\n\n# B\n${quote(newest.join('\n'))}\n\nID: 1`;
        expect(lastQuote(prompt)).toBe(newest.join('\n'));
      }),
    );
  });

  it('is not there in a text without it', () => {
    expect(lastQuote('hello\nthere')).toBeNull();
  });
});
