import { expect, test } from 'vitest';
import { mentionedNames } from './mentions.ts';

test.each([
  ['@engineer look', ['engineer']],
  ['see @squad-lead, please', ['squad-lead']],
  ['@"Squad Lead" and @QA!', ['squad lead', 'qa']],
  ['(@all)', ['all']],
  ['mail a@b.example or x.@y', []],
  ['@ nobody, @@engineer', []],
  ['@Jürgen:', ['jürgen']],
  ['@"open', []],
])('%s', (content, names) => {
  expect(mentionedNames(content)).toEqual(names);
});
