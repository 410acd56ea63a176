import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duration, formatDuration, LONGEST_TIMER_MS, parseDuration } from './duration.ts';

describe('durations', () => {
  it.each([
    ['500', 500],
    ['500ms', 500],
    ['5s', 5_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['0', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', 's', '1.5s', '-5s', '5 s', '5S', '1d', '1e3', '0x10', '5s5', 'Infinity', '1h30m'])(
    'refuses %j',
    (text) => {
      expect(() => parseDuration(text)).toThrow('not a duration');
    },
  );

  it('writes every duration so that it reads back the same', () => {
    fc.assert(
      fc.property(fc.nat(LONGEST_TIMER_MS), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it('accepts a text exactly when its milliseconds are within the bounds', () => {
    const unit = fc.constantFrom(
      ['', 1] as const,
      ['ms', 1] as const,
      ['s', 1_000] as const,
      ['m', 60_000] as const,
    );
    fc.assert(
      fc.property(fc.nat(5_000), unit, (count, [name, size]) => {
        const { parse } = duration(2_000, 120_000);
        const ms = count * size;
        if (ms < 2_000) expect(() => parse(`${count}${name}`)).toThrow('too short');
        else if (ms > 120_000) expect(() => parse(`${count}${name}`)).toThrow('too long');
        else expect(parse(`${count}${name}`)).toBe(ms);
      }),
    );
  });

  it('allows no wait that a timer cannot hold, however many digits it has', () => {
    const { parse } = duration(1);
    expect(parse(String(LONGEST_TIMER_MS))).toBe(LONGEST_TIMER_MS);
    expect(() => parse(String(LONGEST_TIMER_MS + 1))).toThrow('too long');
    expect(() => parse('9'.repeat(400))).toThrow('too long');
  });
});
