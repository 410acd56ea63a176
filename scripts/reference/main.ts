/** `npm run reference`: writes the generated parts of docs/reference. */
import { writeFileSync } from 'node:fs';
import { PARTS, pathOf, readPage, withPart } from './pages.ts';

for (const { page, name, make } of PARTS) {
  writeFileSync(pathOf(page), withPart(readPage(page), name, await make()));
}
