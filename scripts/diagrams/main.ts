/** `npm run diagrams`: draws every machine of the registry into docs/machines. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drawAll, filesOf, type Picture } from './draw.ts';
import { takeShots, type Shot } from './screenshots.ts';
import { MARGIN } from './svg.ts';

const USAGE = `npm run diagrams [-- --png]

Writes docs/machines/<machine>.svg and .mmd (Mermaid) for every machine of the registry, and docs/machines/tree.svg.

  --png   also takes screenshots into docs/machines/screenshots, with the Chromium of this machine or the one that CHROMIUM_PATH names`;

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'docs/machines');
const shotsFolder = join(folder, 'screenshots');

/** One drawing is enough to check the dark colours. */
const ALSO_DARK = ['tree'];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { png: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    say(USAGE);
    return;
  }
  const pictures = await drawAll();
  const files = filesOf(pictures);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of files) writeFileSync(join(root, file), text);
  say(`${files.size} files are in docs/machines.`);
  if (values.png !== true) return;
  const shots = pictures.flatMap(shotsOf);
  await takeShots(shots, shotsFolder);
  say(`${shots.length} screenshots are in docs/machines/screenshots.`);
}

const shotsOf = ({ chart: { id }, drawing }: Picture): Shot[] =>
  (ALSO_DARK.includes(id) ? (['light', 'dark'] as const) : (['light'] as const)).map((scheme) => ({
    svg: join(folder, `${id}.svg`),
    png: join(shotsFolder, `${id}${scheme === 'dark' ? '-dark' : ''}.png`),
    width: drawing.width + 2 * MARGIN,
    height: drawing.height + 2 * MARGIN,
    scheme,
  }));

const say = (text: string): void => void process.stdout.write(`${text}\n`);

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
