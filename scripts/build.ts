/**
 * Bundles the runtime into dist/main.js: one file, with a source map and its version baked in (package.json's, or the
 * one that `--version` gives). `--if-missing` builds only when there is no bundle yet (used by `npm start`).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const outfile = join(root, 'dist/main.js');
const { values } = parseArgs({
  options: { 'if-missing': { type: 'boolean' }, version: { type: 'string' } },
});

if (values['if-missing'] !== true || !existsSync(outfile)) {
  await build({
    entryPoints: [join(root, 'src/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    sourcemap: true,
    // Half the size, and names stay readable in a stack.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
    define: { __RUNTIME_VERSION__: JSON.stringify(values.version || versionOfPackage()) },
    // Dependencies that are CommonJS call require() for Node's own modules.
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
    },
  });
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return version;
}
