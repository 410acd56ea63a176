import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, redactValue } from './redact.ts';

const TOKEN = 'mc_service_acc1_0123456789abcdef';
const GATEWAY = 'gate/way+"se\\cret"=?&%';
const redact = createRedactor([TOKEN, GATEWAY]);
const redactNothing = createRedactor([]);

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const base64url = (text: string): string => Buffer.from(text).toString('base64url');

describe('the configured secrets', () => {
  it.each<[how: string, line: string, left: string]>([
    ['as they are', `a ${TOKEN} b`, 'a *** b'],
    ['with other characters', `a ${GATEWAY} b`, 'a *** b'],
    ['by the secret part alone', 'a 0123456789abcdef b', 'a *** b'],
    ['in JSON', JSON.stringify({ a: GATEWAY }), '{"a":"***"}'],
    ['in JSON in JSON', JSON.stringify({ a: JSON.stringify({ b: GATEWAY }) }), '{"a":"{\\"b\\":\\"***\\"}"}'],
    ['in an address', `/x?a=${encodeURIComponent(GATEWAY)}&b=1`, '/x?a=***&b=1'],
    ['in a form', new URLSearchParams({ a: GATEWAY, b: '1' }).toString(), 'a=***&b=1'],
    ['in an address in an address', encodeURIComponent(`a=${encodeURIComponent(GATEWAY)}`), 'a%3D***'],
    ['in lower case escapes', 'gate%2fway%2b%22se%5ccret%22%3d%3f%26%25', '***'],
    ['in unicode escapes', 'gate\\u002Fway\\u002b\\u0022se\\\\cret\\u0022\\u003d?\\u0026%', '***'],
  ])('go %s', (_, line, left) => {
    expect(redact(line)).toBe(left);
  });

  it.each([0, 1, 2, 3, 4])('go in base64 behind %i other characters', (offset) => {
    for (const encode of [base64, base64url]) {
      const line = redact(`x ${encode(`${'u'.repeat(offset)}${GATEWAY}:tail`)} y`);
      expect(line).toMatch(/^x \S*\*\*\*\S* y$/);
      // What is left is the neighbours and less than one byte at each end.
      expect(line.length).toBeLessThan(20 + offset);
    }
  });

  it('go where one begins with the other', () => {
    expect(createRedactor(['abcdef', 'abcdefgh'])('abcdefgh abcdef')).toBe('*** ***');
  });

  it('leave ordinary words alone when they are as short as one', () => {
    expect(createRedactor(['local', ''])('http://localhost is local')).toBe('http://localhost is local');
  });

  it('leave JSON in form even where a number is the secret', () => {
    const line = '{"durationMs":123456789,"token":null,"apiKey":5,"at":"123456789!","list":[123456789,true]}';
    const out = createRedactor(['123456789'])(line);
    expect(JSON.parse(out)).toEqual({
      durationMs: '***',
      token: null,
      apiKey: '***',
      at: '***!',
      list: ['***', true],
    });
  });
});

describe('what stands behind the name of a secret', () => {
  it.each<[line: string, left: string]>([
    ['{"serviceToken":"x y","n":1}', '{"serviceToken":"***","n":1}'],
    ['{"Authorization": "Bearer x", "n": 1}', '{"Authorization": "***", "n": 1}'],
    ['{"client_secret":"a\\"b\\\\","n":"c"}', '{"client_secret":"***","n":"c"}'],
    ['{"password":5,"n":1}', '{"password":"***","n":1}'],
    ['{"set-cookie":["a=b; Path=/","c]"],"n":1}', '{"set-cookie":"***","n":1}'],
    ['{"credentials":{"a":{"b":"}"}},"n":1}', '{"credentials":"***","n":1}'],
    ['{"token":null,"secret":false,"apiKey":""}', '{"token":null,"secret":false,"apiKey":""}'],
    // JSON within JSON, whole and cut off.
    ['{"body":"{\\"token\\":\\"a\\\\\\"b\\",\\"n\\":1}"}', '{"body":"{\\"token\\":\\"***\\",\\"n\\":1}"}'],
    ['{"body":"{\\"token\\":\\"abc","n":1}', '{"body":"{\\"token\\":\\"***","n":1}'],
    ['{"body":"{\\"token\\":[\\"abc","n":1}', '{"body":"{\\"token\\":\\"***\\"","n":1}'],
    ['{"body":"{\\"token\\":7,\\"n\\":1}"}', '{"body":"{\\"token\\":\\"***\\",\\"n\\":1}"}'],
    // name=value, addresses, headers, what util.inspect prints.
    ['token=abc n=1', 'token=*** n=1'],
    ['token=Bearer abc n=1', 'token=*** n=1'],
    ['token=[abc, def] n=1', 'token=*** n=1'],
    ['OPENCLAW_GATEWAY_TOKEN="a b" n=1', 'OPENCLAW_GATEWAY_TOKEN="***" n=1'],
    ['http://h/?access_token=abc&n=1#x', 'http://h/?access_token=***&n=1#x'],
    ['http://h/#token=abc', 'http://h/#token=***'],
    ['u=http%3A%2F%2Fh%2F%3Ftoken%3Dabc', 'u=http%3A%2F%2Fh%2F%3Ftoken%3D***'],
    ['authorization: Basic dXNlcjpw n=1', 'authorization: *** n=1'],
    ['Proxy-Authorization: Bearer abc', 'Proxy-Authorization: ***'],
    ['Cookie: a=b; c=d', 'Cookie: ***'],
    ["{ password: 'a b', n: 1 }", "{ password: '***', n: 1 }"],
    ["Map(1) { 'x-api-key' => 'abc' }", "Map(1) { 'x-api-key' => '***' }"],
    ['password: hunter2', 'password: ***'],
    ['{"m":"token=a\\\\b\\nnext"}', '{"m":"token=***\\nnext"}'],
  ])('goes from %s', (line, left) => {
    expect(redactNothing(line)).toBe(left);
  });

  it.each([
    '{"input_tokens":18,"maxTokens":5,"sessionKey":"task:1:agent:x","tokenizer":"a"}',
    'the gateway refuses our token: set OPENCLAW_GATEWAY_TOKEN',
    'SERVICE_TOKEN: does not begin with mc_service_; set mc_service_<account>_<secret>',
    'token=undefined',
    '{"message":"no token: ","n":"x"}',
  ])('is nothing in %s', (line) => {
    expect(redactNothing(line)).toBe(line);
  });
});

describe('what has the form of a secret', () => {
  it.each<[line: string, left: string]>([
    ['sent Bearer abc.def-ghi_j, refused', 'sent Bearer ***, refused'],
    ['sent bearer%20abc', 'sent Bearer ***'],
    ['mc_service_other_abc and on', 'mc_service_*** and on'],
    ['http://user:p@ss@host/path', 'http://***@host/path'],
    ['postgres://user@host', 'postgres://***@host'],
    ['a bearer token is missing', 'a bearer token is missing'],
    ['http://host/@scope/name', 'http://host/@scope/name'],
  ])('goes from %s', (line, left) => {
    expect(redactNothing(line)).toBe(left);
  });
});

/** What the configuration lets pass as a token: one printable word. Asterisks are what it is replaced by. */
const secrets = fc.stringMatching(/^[!-)+-~]{6,80}$/);

function inQuery(secret: string): string {
  const url = new URL('http://host/');
  url.search = `?${secret}`;
  return url.search.slice(1);
}

const SPELLINGS: ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => JSON.stringify(secret).slice(1, -1),
  encodeURIComponent,
  (secret) => new URLSearchParams({ a: secret }).toString().slice(2),
  inQuery,
  base64,
  base64url,
];

describe('whatever the secret and wherever it stands', () => {
  const wrappings: ((secret: string) => unknown)[] = [
    (secret) => secret,
    (secret) => ({ [secret]: 1 }),
    (secret) => ({ list: [{ text: `before ${secret} behind` }] }),
    (secret) => new Error(`failed with ${secret}`, { cause: new TypeError(secret) }),
    (secret) => new URL(`http://host/path?q=${encodeURIComponent(secret)}`),
    (secret) => ({ body: JSON.stringify({ inner: JSON.stringify({ text: secret }) }) }),
    (secret) => ({ url: `http://user:${encodeURIComponent(secret)}@host/` }),
    (secret) => ({ basic: base64(`user:${secret}`), url: base64url(`a${secret}b`) }),
    (secret) => new Map([['token', new Set([secret])]]),
  ];
  /** Around all of these, as deep as it comes. */
  const around: ((inner: unknown) => unknown)[] = [
    (inner) => ({ inner }),
    (inner) => [1, inner],
    (inner) => new Error('failed', { cause: inner }),
    (inner) => Object.assign(new Error('failed'), { response: { data: inner } }),
    (inner) => new Map([['inner', inner]]),
  ];
  const values = fc.tuple(
    fc.constantFrom(...wrappings),
    fc.array(fc.constantFrom(...around), { maxLength: 4 }),
  );

  it('no spelling of it is left, and JSON is left in form', () => {
    fc.assert(
      fc.property(secrets, values, fc.jsonValue(), (secret, [wrap, outer], beside) => {
        const redactor = createRedactor([secret]);
        const around = (text: string) => ({ value: outer.reduce((inner, put) => put(inner), wrap(text)) });
        // A secret like `"value` is a part of the text around it.
        const frame = JSON.stringify(redactValue(around(''), (text) => text));
        fc.pre(SPELLINGS.every((spell) => !frame.includes(spell(secret))));
        const out = JSON.stringify(redactValue(around(secret), redactor));
        for (const spell of SPELLINGS) expect(out).not.toContain(spell(secret));
        expect(JSON.parse(redactor(JSON.stringify({ beside, secret })))).toBeTypeOf('object');
      }),
    );
  });

  it('a second time changes nothing', () => {
    const piece = fc.constantFrom(
      'token',
      'Authorization',
      'cookie',
      'password',
      '=',
      ': ',
      ':',
      '"',
      '\\"',
      "'",
      '{',
      '}',
      '[',
      ']',
      ' ',
      ',',
      ';',
      'Bearer ',
      'abc1',
      'mc_service_a_b',
      '://',
      '@',
      '&',
      '?',
      '\\',
      '\n',
      's3cret',
      '%3D',
    );
    const texts = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));
    const redactor = createRedactor(['s3cret']);
    fc.assert(
      fc.property(texts, (text) => {
        for (const line of [text, JSON.stringify({ text, token: text, list: [text] })]) {
          const once = redactor(line);
          expect(redactor(once)).toBe(once);
          expect(once).not.toContain('s3cret');
        }
      }),
      // Found by chance once: one pass was not enough for it.
      { numRuns: 1_000, examples: [['token=token\\"token%3D[']] },
    );
  });

  it('any JSON is left in form', () => {
    const names = fc.constantFrom('token', 'set-cookie', 'apiKey', 'n', 'text');
    const leaf = fc.oneof(
      fc.string(),
      fc.constantFrom('token: ', 'a "token":"x', '\\', '"', 'Bearer \\"x'),
      fc.integer(),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('tree')), fc.dictionary(names, tie('tree'))),
    }));
    fc.assert(
      fc.property(tree, fc.boolean(), (value, nested) => {
        const line = JSON.stringify([nested ? JSON.stringify(value) : value]);
        expect(() => {
          JSON.parse(redactNothing(line));
        }).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

it('walks a megabyte of anything in no time to speak of', () => {
  const mega = (piece: string): string => piece.repeat(Math.ceil(1_000_000 / piece.length));
  const pieces = [
    'a',
    '\\',
    '"',
    ' ',
    'token',
    'token=',
    'token: ',
    '"token":"',
    '"token":[',
    'token\\"',
    'Bearer ',
    '://',
    '://a@',
    '%25',
    'mc_service_',
    'cookie: ',
    '{',
  ];
  for (const piece of pieces) {
    // Anything that takes quadratic time takes hours here, and the test its time limit.
    redact(mega(piece));
    redact(`{"a":"${mega(piece)}`);
  }
});

describe('a value for a JSON body', () => {
  it('is a redacted copy; the value itself is as it was', () => {
    const value = {
      reason: `refused ${TOKEN}`,
      at: new Date(0),
      gateway: { token: 'abc', n: [1, null] },
      none: undefined,
    };
    expect(redactValue(value, redact)).toEqual({
      reason: 'refused ***',
      at: '1970-01-01T00:00:00.000Z',
      gateway: { token: '***', n: [1, null] },
    });
    expect(value.gateway.token).toBe('abc');
    expect(redactValue('token=abc', redact)).toBe('token=***');
  });
});
