/** `npm run replies`: the replies that were paid for and could not be posted, from the journal. */
import { DatabaseSync } from 'node:sqlite';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { deadLetter, LETTER_PREFIX, type DeadLetter } from '../actors/dead-letters.ts';
import { DEV_DIRECTORY } from '../local/session.ts';

const USAGE = `npm run replies [-- --dir <STATE_DIR>] [-- --json]

Lists the replies that agents gave and that could not be posted: their task is gone, or Mission Control refuses the text.
The runtime keeps them in its journal for 35 days. Without --dir it reads STATE_DIR, then the stack of npm run dev.

  --dir    the runtime's STATE_DIR
  --json   one line of JSON for each reply, with the whole text: to export them

Exits with 0, or with 1 when there is no journal. The runtime may go on meanwhile.`;

function main(): number {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return print(USAGE);
  const dir = resolve(values.dir ?? process.env.STATE_DIR ?? join(DEV_DIRECTORY, 'state'));
  const file = join(dir, 'journal.sqlite');
  if (!existsSync(file)) {
    process.stderr.write(`There is no journal in ${dir}: name the runtime's STATE_DIR with --dir.\n`);
    return 1;
  }
  const letters = read(file);
  if (values.json) return print(letters.map((letter) => JSON.stringify(letter)).join('\n'));
  return print(
    letters.length === 0 ? 'No reply is kept: every reply was posted.' : letters.map(describe).join('\n\n'),
  );
}

const row = v.object({ value: v.string() });

function read(file: string): DeadLetter[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database
      .prepare('SELECT value FROM entry WHERE key LIKE ? ORDER BY key')
      .all(`${LETTER_PREFIX}%`);
    return rows
      .map((one) => v.parse(deadLetter, JSON.parse(v.parse(row, one).value)))
      .toSorted((a, b) => a.at - b.at);
  } finally {
    database.close();
  }
}

function describe({ at, title, agentId, taskId, notificationId, reason, text }: DeadLetter): string {
  const ids = `agent ${agentId}, task ${taskId ?? 'none'}, notification ${notificationId}`;
  return [
    `${new Date(at).toISOString()}  ${title === undefined ? ids : `${title}  (${ids})`}`,
    ...(reason === null ? [] : [`Not posted: ${reason}`]),
    text,
  ].join('\n');
}

function print(text: string): number {
  if (text !== '') process.stdout.write(`${text}\n`);
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
