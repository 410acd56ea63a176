import { styleText } from 'node:util';
import { escapeControls } from './escape.ts';
import type { LogLevel } from './log.ts';
import type { Plain } from './plain.ts';
import { isSecretName } from './secret-keys.ts';

/** One line before it becomes text. */
export interface Entry {
  at: Date;
  level: LogLevel;
  event: string;
  message: string;
  fields: { [key: string]: Plain };
}

/** An entry as one line, without its end. */
export type Render = (entry: Entry) => string;

/**
 * JSON lines.
 *
 * @param always fields that every line has; a field of the same name gets an underscore at its end
 */
export function jsonLine(always: Record<string, string>, redact: (text: string) => string): Render {
  return ({ at, level, event, message, fields }) => {
    const head = { timestamp: at.toISOString(), level, event, message, ...always };
    const rest = Object.entries(fields).map(([key, value]) => [key in head ? `${key}_` : key, value]);
    return redact(escapeControls(JSON.stringify({ ...head, ...Object.fromEntries(rest) })));
  };
}

const COLOURS = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const;

const two = (value: number): string => String(value).padStart(2, '0');

const clock = (at: Date): string =>
  `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;

/** Lines for people: `HH:mm:ss.SSS level  event  message  key=value`, in local time. */
export function prettyLine(colour: boolean, redact: (text: string) => string): Render {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text;

  return ({ at, level, event, message, fields }) => {
    const pairs = flatten('', fields).map(([key, value]) => `${key}=${value}`);
    // Redaction comes before the colours, because an escape sequence inside a pair would hide the pair from it.
    const text = redact(escapeControls([message, ...pairs].join('  ')));
    const name = redact(escapeControls(event));
    return `${paint('dim', clock(at))} ${paint(COLOURS[level], level.padEnd(5))}  ${paint('cyan', name)}  ${text}`;
  };
}

/** Nested fields as dotted keys; texts in quotes where a bare one could be misread. */
function flatten(prefix: string, fields: { [key: string]: Plain }): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]): [string, string][] => {
    const key = `${prefix}${name}`;
    if (typeof value === 'string') return [[key, /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)]];
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return [[key, JSON.stringify(value)]];
    // The value stays whole, so that the redactor sees what follows the name.
    if (isSecretName(name)) return [[key, JSON.stringify(value)]];
    return flatten(`${key}.`, value);
  });
}
