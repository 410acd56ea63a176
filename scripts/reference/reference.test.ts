import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { logCallsIn } from './log-calls.ts';
import { PARTS, readPage, withPart } from './pages.ts';

test.each(PARTS)('docs/reference/$page: $name is as the code has it', async ({ page, name, make }) => {
  const text = readPage(page);
  expect(text, 'run: npm run reference').toBe(withPart(text, name, await make()));
});

it('refuses a page without its markers', () => {
  expect(() => withPart('# Title', 'a', '')).toThrow('The page needs <!-- a:begin -->');
  expect(() => withPart('<!-- a:end --> <!-- a:begin -->', 'a', '')).toThrow('The page needs');
});

describe('log lines are found by their syntax', () => {
  it.each([
    ["log.warn('a.b', 'Words.')", { event: 'a.b', level: 'warn', message: 'Words.', fields: [] }],
    [
      'options.log.info(`${source}.gone`, `It is ${state} now`, { id, ...(x && { why: 1 }) })',
      { event: '<source>.gone', level: 'info', message: 'It is … now', fields: ['id', 'why'] },
    ],
    ["log[level]('a.b', text)", { event: 'a.b', level: 'as given', message: '…', fields: [] }],
    ["log('error', 'a.b', 'One ' + x, {})", { event: 'a.b', level: 'error', message: 'One …', fields: [] }],
    [
      "log.info('a.b', 'x', pretty ? {} : { settings: 1 })",
      { event: 'a.b', level: 'info', message: 'x', fields: ['settings'] },
    ],
    [
      "onNotice('a.b', `It stands at ${path}.`)",
      { event: 'a.b', level: 'warn', message: 'It stands at ….', fields: [] },
    ],
    [
      "tell({ event: 'a.b', message: 'Words.' })",
      { event: 'a.b', level: 'warn', message: 'Words.', fields: [] },
    ],
  ])('%s', (source, expected) => {
    expect(logCallsIn('x.ts', source)).toEqual([expected]);
  });

  it.each(["catalog.info('a', 'b')", 'log.child({ a: 1 })', 'log.warn(event, message)'])(
    'not in %s',
    (source) => {
      expect(logCallsIn('x.ts', source)).toEqual([]);
    },
  );
});

test('docs/reference/ports.md names every port of .env.example, with its default', () => {
  const page = readPage('ports.md');
  const example = readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8');
  const ports = [...example.matchAll(/^(?<name>[A-Z_]*PORT)=(?<port>\d+)$/gm)];
  expect(ports.length).toBeGreaterThan(3);
  for (const [, name = '', port = ''] of ports) {
    expect(page).toMatch(new RegExp(`\\| ${port} +\\|.*\`${name}\``));
  }
});
