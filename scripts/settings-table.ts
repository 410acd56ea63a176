/** Writes the table of settings into docs/reference/settings.md, between its two markers. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingNotes } from '../src/config/settings.ts';

const BEGIN = '<!-- settings:begin -->';
const END = '<!-- settings:end -->';

export const settingsPage = join(import.meta.dirname, '../docs/reference/settings.md');

/** A Markdown table with its columns padded, as Prettier wants them. */
function table(rows: string[][]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replace(/[|<]/g, '\\$&')));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

export function settingsTable(): string {
  const rows = [...settingNotes].map(([name, notes]) => [
    notes.file ? `\`${name}\` or \`${name}_FILE\`` : `\`${name}\``,
    notes.description,
    notes.defaultText ?? 'required',
    notes.ruleText,
  ]);
  return table([['setting', 'what it is', 'default', 'set it to'], ...rows]);
}

/**
 * @param text a document with both markers
 * @returns the same document with the table of today between them
 */
export function withSettingsTable(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`The page needs ${BEGIN} and, after it, ${END}.`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${settingsTable()}\n\n${text.slice(end)}`;
}

if (import.meta.main) writeFileSync(settingsPage, withSettingsTable(readFileSync(settingsPage, 'utf8')));
