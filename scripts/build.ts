/**
 * Bundles the runtime: dist/main.js starts dist/runtime.cjs, which is all of it, with a source map and its version baked
 * in (package.json's, or the one that `--version` gives). dist/inspector.mjs, with its page and the drawings, is read
 * only where INSPECTOR=on, and dist/traces.cjs only where traces are asked for. dist/why.mjs is the command `why` of the image. `--if-missing` builds only when there is no bundle yet (used by `npm start`).
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build as bundle, type BuildOptions, type Plugin } from 'esbuild';
import { buildAssets } from '../src/inspector/build-assets.ts';
import { quickXState } from './bundle/xstate.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const main = join(dist, 'main.js');
const { values } = parseArgs({
  options: { 'if-missing': { type: 'boolean' }, version: { type: 'string' } },
});

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  sourcemap: true,
  // This halves the size, and names stay readable in a stack trace.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
};

/** Dependencies that are CommonJS call require() for Node's own modules. */
const REQUIRE_IN_MODULE =
  "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);";

/** A file that is loaded at run time and is not part of the bundle. */
const apart = (filter: RegExp, path: string): Plugin => ({
  name: 'apart',
  setup(build) {
    build.onResolve({ filter }, ({ kind }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
  },
});

/** Puts the parts of a package that are used in place of its index, which imports everything. */
const partOf = (name: string, path: string, importer = /./): Plugin => ({
  name: `part-of-${name}`,
  setup(build) {
    build.onResolve({ filter: new RegExp(`^${name}$`) }, (asked) =>
      importer.test(asked.importer) ? { path: join(root, path) } : undefined,
    );
  },
});

if (values['if-missing'] !== true || !existsSync(main)) {
  await bundle({
    ...common,
    format: 'cjs',
    entryPoints: [join(root, 'src/main.ts')],
    outfile: join(dist, 'runtime.cjs'),
    plugins: [
      quickXState,
      apart(/\/start\.ts$/, './inspector.mjs'),
      apart(/\/otel\.ts$/, './traces.cjs'),
      partOf('undici', 'scripts/bundle/undici.js'),
      // All our connections speak HTTP/1.1; Node's http2 is 3 MB of memory.
      partOf('./client-h2.js', 'scripts/bundle/no-http2.cjs', /undici/),
      // The rest is the client of the sync protocol, which is loaded only where there is a queue to watch.
      partOf(
        'convex/browser',
        'node_modules/convex/dist/esm/browser/http_client.js',
        /src\/mission-control\/client\.ts$/,
      ),
    ],
    define: { __RUNTIME_VERSION__: JSON.stringify(values.version || versionOfPackage()) },
    // Only the sources, run as they are, ask where they are.
    logOverride: { 'empty-import-meta': 'silent' },
  });
  assertLatin1(join(dist, 'runtime.cjs'));
  copyFileSync(join(root, 'scripts/bundle/entry.js'), main);
  await bundle({
    ...common,
    format: 'esm',
    banner: { js: REQUIRE_IN_MODULE },
    entryPoints: [join(root, 'src/inspector/start.ts')],
    outfile: join(dist, 'inspector.mjs'),
    // The page is baked in, so its builder and esbuild are not needed.
    plugins: [apart(/\/build-assets\.ts$/, './build-assets.mjs')],
    define: { __INSPECTOR_ASSETS__: JSON.stringify(await buildAssets()) },
  });
  await bundle({
    ...common,
    format: 'cjs',
    entryPoints: [join(root, 'src/traces/otel.ts')],
    outfile: join(dist, 'traces.cjs'),
  });
  // `why` in the image.
  await bundle({
    ...common,
    format: 'esm',
    banner: { js: REQUIRE_IN_MODULE },
    entryPoints: [join(root, 'src/cli/why.ts')],
    outfile: join(dist, 'why.mjs'),
  });
  // A first start fills the compile cache.
  rmSync(join(dist, 'compile-cache'), { recursive: true, force: true });
  execFileSync(process.execPath, [main, '--version'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** One character beyond Latin-1, and V8 keeps the whole bundle with two bytes a character: 7 MB of every process. */
function assertLatin1(bundle: string): void {
  const [found] = /[^\0-\xff].{0,40}/.exec(readFileSync(bundle, 'utf8')) ?? [];
  if (found !== undefined) {
    throw new Error(
      `${bundle} holds a character beyond Latin-1: ${found}. Write it as \\uXXXX in a regular expression.`,
    );
  }
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return version;
}
