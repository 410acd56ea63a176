import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../machines/shared/fault.ts';
import { toPlain } from './plain.ts';

describe('a plain copy', () => {
  it.each<[what: string, value: unknown, plain: unknown]>([
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a broken date', new Date(NaN), 'Invalid Date'],
    ['an address', new URL('http://h/?a=1'), 'http://h/?a=1'],
    ['numbers that JSON lacks', [NaN, -Infinity, 10n], ['NaN', '-Infinity', '10']],
    ['a map and a set', new Map([['a', new Set([1])]]), { a: [1] }],
    ['bytes', { body: Buffer.from('abc') }, { body: '[3 bytes]' }],
    ['what is not there', { a: undefined, b: null, c: [undefined] }, { b: null, c: ['undefined'] }],
    ['a function and a symbol', [() => 1, Symbol('s')], ['[function]', 'Symbol(s)']],
    [
      'an object that cannot be read',
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new TypeError('no');
          },
        },
      ),
      '[unreadable: TypeError]',
    ],
    ['an object with a toJSON of its own', { toJSON: () => 'x', a: 1 }, { toJSON: '[function]', a: 1 }],
  ])('of %s', (_, value, plain) => {
    expect(toPlain(value)).toEqual(plain);
  });

  it('of an error is its name, kind, message and cause, and its stack only when asked for', () => {
    const fault = new Fault('gatewayUnavailable', 'The gateway is away.', {
      cause: new AggregateError([Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })]),
    });
    const plain = {
      name: 'Fault',
      kind: 'gatewayUnavailable',
      message: 'The gateway is away.',
      cause: {
        name: 'AggregateError',
        message: '',
        errors: [{ name: 'Error', code: 'ECONNREFUSED', message: 'refused' }],
      },
    };
    expect(toPlain(fault)).toEqual(plain);
    const full = toPlain(fault, { stacks: true });
    expect(full).toMatchObject({ ...plain, stack: fault.stack });
    expect(Object.keys(full ?? {}).at(-1)).toBe('stack');
  });

  it('ends where a value holds itself, and where it is too deep', () => {
    const loop: Record<string, unknown> = { twice: [] };
    loop.self = loop;
    expect(toPlain(loop)).toEqual({ twice: [], self: '[circular]' });
    const shared = {};
    expect(toPlain([shared, shared])).toEqual([{}, {}]);

    let deep: unknown = 'bottom';
    for (let n = 0; n < 100_000; n++) deep = [deep];
    expect(JSON.stringify(toPlain(deep))).toBe('[[[[[[[["[too deep]"]]]]]]]]');
  });

  it('of anything can be written as JSON, and the thing itself is as it was', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
          withSparseArray: true,
        }),
        (value) => {
          const before = fc.stringify(value);
          const plain = toPlain(value);
          const text = JSON.stringify(plain);
          expect(JSON.stringify(JSON.parse(text))).toBe(text);
          expect(fc.stringify(value)).toBe(before);
        },
      ),
    );
  });
});
