/**
 * Runs a TypeScript file of this repository: `node scripts/run.js src/cli/status.ts --watch`. If that cannot work, it
 * says in one sentence why: Node is too old, or `npm ci` is missing. This file itself also runs on older versions of
 * Node.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL, URL } from 'node:url';

const NEEDED = 24;

function missing() {
  const installed = existsSync(fileURLToPath(new URL('../node_modules/valibot', import.meta.url)));
  if (Number(process.versions.node.split('.')[0]) < NEEDED) {
    const remedy = installed
      ? 'Start it with npm (npm run ...), which uses the Node that `npm ci` has installed.'
      : 'Run `npm ci` first: it brings Node 24 along for every npm script. Or install Node 24 (https://nodejs.org).';
    return `This needs Node ${NEEDED}, and "node" is ${process.versions.node} here. ${remedy}`;
  }
  return installed ? null : 'The dependencies are missing: run `npm ci` first.';
}

const problem = missing();
if (problem === null) {
  // The file finds its name and its arguments in the same places as without this script.
  const [node = '', , file = '', ...args] = process.argv;
  process.argv = [node, resolve(file), ...args];
  await import(pathToFileURL(resolve(file)).href);
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
