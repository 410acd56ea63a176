import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { settingNotes } from '../src/config/settings.ts';
import { settingsPage, settingsTable, withSettingsTable } from './settings-table.ts';

it('docs/reference/settings.md holds the table of settings as the code has it', () => {
  const text = readFileSync(settingsPage, 'utf8');
  expect(text, 'run: node scripts/settings-table.ts').toBe(withSettingsTable(text));
});

it('the table has one row for each setting', () => {
  expect(settingsTable().split('\n')).toHaveLength(settingNotes.size + 2);
});

it('a document without the markers is refused', () => {
  expect(() => withSettingsTable('# Title')).toThrow('The page needs <!-- settings:begin -->');
  expect(() => withSettingsTable('<!-- settings:end --> <!-- settings:begin -->')).toThrow('The page needs');
});
