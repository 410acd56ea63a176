/**
 * Bundles the runtime: dist/main.js is all of it in one file, with a source map and its version baked in
 * (package.json's, or the one that `--version` gives). dist/inspector.mjs, with its page and the drawings, is read only
 * where INSPECTOR=on. `--if-missing` builds only when there is no bundle yet (used by `npm start`).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build as bundle, type BuildOptions, type Plugin } from 'esbuild';
import { buildAssets } from '../src/inspector/build-assets.ts';

const root = join(import.meta.dirname, '..');
const main = join(root, 'dist/main.js');
const { values } = parseArgs({
  options: { 'if-missing': { type: 'boolean' }, version: { type: 'string' } },
});

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  sourcemap: true,
  // Half the size, and names stay readable in a stack.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
  // Dependencies that are CommonJS call require() for Node's own modules.
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
};

/** A file that is loaded when it is asked for, and not taken in. */
const apart = (filter: RegExp, path: string): Plugin => ({
  name: 'apart',
  setup(build) {
    build.onResolve({ filter }, ({ kind }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
  },
});

if (values['if-missing'] !== true || !existsSync(main)) {
  await bundle({
    ...common,
    entryPoints: [join(root, 'src/main.ts')],
    outfile: main,
    plugins: [apart(/\/start\.ts$/, './inspector.mjs')],
    define: { __RUNTIME_VERSION__: JSON.stringify(values.version || versionOfPackage()) },
  });
  await bundle({
    ...common,
    entryPoints: [join(root, 'src/inspector/start.ts')],
    outfile: join(root, 'dist/inspector.mjs'),
    // The page's builder, and esbuild with it, is not needed where the page is baked in.
    plugins: [apart(/\/build-assets\.ts$/, './build-assets.mjs')],
    define: { __INSPECTOR_ASSETS__: JSON.stringify(await buildAssets()) },
  });
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return version;
}
