/** `npm run local -- <command>`: care for the data of the local Mission Control. */
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { reset, restore, writeCopy, type Place } from '../local/mission-control/maintenance.ts';
import { DATA_DIR, DEV_STATE_DIR, readSession } from '../local/session.ts';

const USAGE = `npm run local -- <command>

  backup FILE    copies all data into one file, also while Mission Control runs
  restore FILE   puts a backup or an export in place of the data; what was there is kept beside it
  export FILE    writes a ZIP that npx convex import takes (docs/local.md)
  reset --yes    deletes all data: the next start begins with an empty account

  --data DIR     the data directory (.runtime/dev-data, of npm run dev; compose has .runtime/mission-control)
  --url URL      where Mission Control listens (the stack of npm run dev, or http://127.0.0.1:3210)

For restore and reset stop Mission Control first. All of it needs the admin key, which is in the data directory.`;

async function main(): Promise<string> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: 'string', default: DATA_DIR },
      url: { type: 'string', default: readSession()?.convexUrl ?? 'http://127.0.0.1:3210' },
      yes: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command, file, ...more] = positionals;
  const place: Place = { dataDir: resolve(values.data), url: values.url };
  if (values.help || command === undefined) return USAGE;
  if (command === 'reset') {
    if (!values.yes)
      throw new Error('A reset deletes all data. Say "npm run local -- reset --yes" to do it.');
    reset(place);
    // The journal of npm run dev would name rows that no longer exist.
    if (place.dataDir === resolve(DATA_DIR)) rmSync(DEV_STATE_DIR, { recursive: true, force: true });
    return `The data in ${place.dataDir} are deleted.`;
  }
  if (command !== 'backup' && command !== 'export' && command !== 'restore') {
    throw new Error(`There is no command "${command}". ${USAGE}`);
  }
  if (more.length > 0) throw new Error(`One file is enough: "${more.join(' ')}" is too much.`);
  if (!URL.canParse(values.url)) throw new Error(`--url: "${values.url}" is no address.`);
  if (file === undefined) throw new Error(`Which file? Say "npm run local -- ${command} FILE".`);
  if (command !== 'restore') {
    await writeCopy(command, place, file);
    return `All data are in ${file}.`;
  }
  const earlier = await restore(place, file);
  return `The data of ${file} are in place.${earlier === null ? '' : ` The earlier ones are in ${earlier}.`}`;
}

try {
  process.stdout.write(`${await main()}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
