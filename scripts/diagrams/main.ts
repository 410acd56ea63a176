/** `npm run diagrams`: draws every machine of the registry into docs/machines. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawAll, filesOf } from './draw.ts';

const root = join(import.meta.dirname, '../..');

const files = filesOf(await drawAll());
mkdirSync(join(root, 'docs/machines'), { recursive: true });
for (const [file, text] of files) writeFileSync(join(root, file), text);
process.stdout.write(`${files.size} files written to docs/machines.\n`);
