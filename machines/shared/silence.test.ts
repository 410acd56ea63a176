import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { meaningOfBeat, meaningOfMessage, type Meaning } from './silence.ts';

const ZERO_WIDTH = '\u200b';
const message = (text: string): Meaning => meaningOfMessage({ text, acted: false });
const beat = (text: string): Meaning => meaningOfBeat({ text, acted: false });
const text = (said: string): Meaning => ({ kind: 'text', text: said });

/** The word in every dress that was met. */
const dressed = (word: string): string[] => [
  word,
  word.toLowerCase(),
  `  ${word}\n`,
  `\u00a0${word}\u00a0`,
  `**${word}**`,
  `${word}.`,
  `${word}!`,
  `\`${word}\``,
  `\`\`\`\n${word}\n\`\`\``,
  `\`\`\`text\n${word}\n\`\`\``,
  `"${word}"`,
  `“${word}”`,
  `(${word})`,
  `__${word}__`,
  `<b>${word}</b>`,
  `<p>${word}</p>\n`,
  `- ${word}`,
  `> ${word}`,
  `# ${word}`,
  `1. ${word}`,
  `✅ ${word}`,
  `${ZERO_WIDTH}${word}${ZERO_WIDTH}`,
  `\ufeff${word}`,
  `${word}&nbsp;`,
  word.replace('_', '\\_'),
  word.replace('_', `_${ZERO_WIDTH}`),
  `${word}\n\n${word}`,
  `${word}${word}`,
  `<think>nothing to say</think>${word}`,
  `<think>\nnothing\n</think>\n\n${word}`,
  `@engineer ${word}`,
  `@"Demo User" @qa ${word}`,
];

/** Texts about the words, which are posted as they are. */
const CONTROLS = [
  'When nothing is due, the agent answers NO_REPLY and the thread stays quiet.',
  'The word that keeps the thread quiet is HEARTBEAT_OK.',
  'Should I use NO_REPLY?',
  'NO_REPLY?',
  'NO_REPLY_X is a variable',
  'NO_REPLY_X',
  'MY_NO_REPLY',
  'To keep the thread quiet, answer with:\n\nNO_REPLY',
  'Answer with:\n```\nNO_REPLY\n```',
  'There are two words for silence.\n- HEARTBEAT_OK\n- NO_REPLY',
  'The words are these.\n\n| word |\n|---|\n| NO_REPLY |',
  'Ada wrote\n> NO_REPLY',
  '```\nif (quiet) {\n  NO_REPLY\n}\n```',
  'HEARTBEAT_OK and NO_REPLY mean the same.',
  'No.',
  'No',
  'no',
  'no_',
  'NO.',
  'Done',
  'Is it quiet? NO_REPLY',
  '@engineer please have a look',
];

/** A list of some 2,300 characters that explains the words. */
const EXPLAINED = Array.from(
  { length: 24 },
  (_, at) =>
    `- Rule ${at}: an agent that has nothing to say answers \`HEARTBEAT_OK\`, never \`NO_REPLY\`, to a task.`,
).join('\n');

describe('the word alone', () => {
  test.each(dressed('HEARTBEAT_OK'))('%j is silence', (said) => {
    expect(message(said)).toEqual({ kind: 'silence' });
    expect(beat(said)).toEqual({ kind: 'silence' });
  });

  test.each(dressed('NO_REPLY'))('%j is no reply', (said) => {
    expect(message(said)).toEqual({ kind: 'noReply' });
    expect(beat(said)).toEqual({ kind: 'noReply' });
    expect(meaningOfMessage({ text: said, acted: true })).toEqual({ kind: 'silence' });
  });

  test.each([
    'Loading context for heartbeat...\nHEARTBEAT_OK',
    'Loading context for heartbeat...\n\nLoading context for heartbeat...\nHEARTBEAT_OK',
    'HEARTBEAT_OK\nNO_REPLY',
  ])('%j is silence', (said) => {
    expect(message(said)).toEqual({ kind: 'silence' });
  });
});

describe('no reply', () => {
  test.each([
    '',
    '   \n',
    `${ZERO_WIDTH} ${ZERO_WIDTH}`,
    '\u3164\u2800\u00ad',
    'NO',
    'NO_',
    ' NO_\n',
    'No response from OpenClaw.',
    'No reply from agent.',
    'No response from agent.',
    '@engineer No reply from agent.',
    '@"Demo User" @qa No response from agent.',
  ])('%j; after calls it is silence', (said) => {
    expect(message(said)).toEqual({ kind: 'noReply' });
    expect(meaningOfMessage({ text: said, acted: true })).toEqual({ kind: 'silence' });
  });
});

describe('a text', () => {
  test.each([...CONTROLS, EXPLAINED])('%j is posted as it is', (said) => {
    expect(message(said)).toEqual(text(said));
    expect(meaningOfMessage({ text: said, acted: true })).toEqual(text(said));
    expect(meaningOfMessage({ text: `${said}\n`, acted: false })).toEqual(text(`${said}\n`));
  });

  test.each([
    ['Done.\n\nNO_REPLY', 'Done.'],
    ['Done.\n\nHEARTBEAT_OK', 'Done.'],
    ['Done\nno_reply\n', 'Done'],
    ['Done.\r\n\r\nNO_REPLY\r\n', 'Done.'],
    ['All tests pass.NO_REPLY', 'All tests pass.'],
    ['All tests pass!NO_REPLY', 'All tests pass!'],
    ['Is that all?NO_REPLY', 'Is that all?'],
    ['Done. NO_REPLY', 'Done.'],
    ['**Done.**NO_REPLY', '**Done.**'],
    ['Done (see #12).NO_REPLY', 'Done (see #12).'],
    ['完了。NO_REPLY', '完了。'],
    ['Done.\n\n**HEARTBEAT_OK**', 'Done.'],
    ['Done.\n\n```\nNO_REPLY\n```', 'Done.'],
    ['Done.\n\nNO_REPLY\nNO_REPLY', 'Done.'],
    ['Done.\n\n---\n\nNO_REPLY', 'Done.'],
    [`Done.\n\n${ZERO_WIDTH}NO_REPLY${ZERO_WIDTH}\n${ZERO_WIDTH}`, 'Done.'],
    ['- one\n- two\n\nHEARTBEAT_OK.', '- one\n- two'],
    ['- all green.NO_REPLY', '- all green.'],
  ])('%j loses its last word: %j', (said, rest) => {
    expect(message(said)).toEqual(text(rest));
    expect(meaningOfMessage({ text: said, acted: true })).toEqual(text(rest));
  });

  test.each(['No reply from agent. But I have one.', 'HEARTBEAT_OK, and one more thing'])(
    '%j stays',
    (said) => {
      expect(message(said)).toEqual(text(said));
    },
  );
});

describe('a heartbeat', () => {
  const long = 'The build is red since noon. '.repeat(12).trim();

  test.each([
    'Checked all tasks.\n\nHEARTBEAT_OK',
    'HEARTBEAT_OK\n\nChecked all tasks.',
    'HEARTBEAT_OK, nothing is due.',
    '**HEARTBEAT_OK** Nothing is due.',
    'Checked all tasks. HEARTBEAT_OK',
    'Nothing is due: HEARTBEAT_OK.',
    `${'x'.repeat(299)}.\nHEARTBEAT_OK`,
  ])('%j is silence', (said) => {
    expect(beat(said)).toEqual({ kind: 'silence' });
  });

  test.each([
    [`${long}\n\nHEARTBEAT_OK`, long],
    [`HEARTBEAT_OK\n\n${long}`, long],
    ['Fixed the build.\n\nNO_REPLY', 'Fixed the build.'],
  ])('%j says something: %j', (said, rest) => {
    expect(beat(said)).toEqual(text(rest));
  });

  test.each([...CONTROLS.filter((said) => !said.startsWith('HEARTBEAT_OK')), EXPLAINED])(
    '%j is posted as it is',
    (said) => {
      expect(beat(said)).toEqual(text(said));
    },
  );
});

describe('whatever an agent says', () => {
  const word = fc.constantFrom('NO_REPLY', 'HEARTBEAT_OK', 'no_reply', 'Heartbeat_OK');
  const dress = fc.constantFrom(
    '',
    ' ',
    '\n',
    '*',
    '**',
    '_',
    '`',
    '"',
    '.',
    '!',
    ZERO_WIDTH,
    '\u00a0',
    '~',
    '(',
    ')',
  );
  const clothes = fc.array(dress, { maxLength: 4 }).map((pieces) => pieces.join(''));

  test('words and clothes alone are never posted', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(clothes, word, clothes), { minLength: 1, maxLength: 3 }), (parts) => {
        const said = parts.flat().join('');
        expect(message(said).kind).not.toBe('text');
        expect(beat(said).kind).not.toBe('text');
      }),
    );
  });

  test('a text without the words is posted unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (said) => {
        fc.pre(/\p{L}{3}/u.test(said) && !/no|heartbeat/i.test(said));
        expect(message(said)).toEqual(text(said));
        expect(beat(said)).toEqual(text(said));
      }),
    );
  });

  test('a word on the last line is removed, and nothing else', () => {
    const oneLine = clothes.map((pieces) => pieces.replaceAll(/[\s*]/g, ''));
    const line = fc.stringMatching(/^[a-z]{1,12}( [a-z]{1,12}){0,5}\.$/);
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), word, oneLine, (lines, last, around) => {
        const rest = lines.join('\n');
        expect(message(`${rest}\n${around}${last}${around}`)).toEqual(text(rest));
      }),
    );
  });

  test.each(['NO_REPLY ', '*', '.', '@a ', '<think>', '\n', '```\n', 'HEARTBEAT_OK', 'a.', '> '])(
    'a hundred thousand characters of %j are judged',
    (piece) => {
      const said = piece.repeat(100_000 / piece.length);
      expect(['text', 'noReply']).toContain(message(said).kind);
      expect(beat(`${said}x`).kind).toBe('text');
    },
  );
});
