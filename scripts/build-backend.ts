/**
 * Bundles the local backend with its tools into dist/backend/, for its image: the host, `say`, and every module of
 * convex/ by itself, since the host finds those by their paths.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

await build({
  absWorkingDir: root,
  entryPoints: [
    'src/local/mission-control/main.ts',
    'src/cli/say.ts',
    ...globSync('convex/**/*.{ts,js}', { cwd: root, exclude: ['**/*.*.ts'] }),
  ],
  outbase: '.',
  outdir: 'dist/backend',
  bundle: true,
  splitting: true,
  // The host finds convex/ from where its own code lies: beside its main file, also in a part that is loaded later.
  chunkNames: 'src/local/mission-control/[name]-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node24',
  logLevel: 'warning',
  // Dependencies that are CommonJS call require() for Node's own modules.
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
});
