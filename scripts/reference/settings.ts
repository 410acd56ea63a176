import { settingNotes } from '../../src/config/settings.ts';
import { retiredSettings } from '../../src/config/retired.ts';
import { code, table } from './table.ts';

/** One row for each setting, from the table that the checks and `--help` use. */
export function settingsTable(): string {
  const rows = [...settingNotes].map(([name, notes]) => [
    notes.file ? `\`${name}\` or \`${name}_FILE\`` : code(name),
    notes.description,
    notes.defaultText ?? 'required',
    notes.ruleText,
  ]);
  return table([['setting', 'what it is', 'default', 'set it to'], ...rows]);
}

export const retiredTable = (): string =>
  table([
    ['setting', 'here'],
    ...[...retiredSettings].map(([name, replacement]) => [code(name), replacement]),
  ]);
