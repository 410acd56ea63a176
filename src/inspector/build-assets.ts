/** Makes the page's one file, and reads the drawings. Needs esbuild, so it runs in development and in the build alone. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const here = join(import.meta.dirname, 'page');
const DRAWINGS = join(here, '../../../docs/machines');

export interface BuiltAssets {
  page: string;
  charts: Record<string, string>;
}

export async function buildAssets(): Promise<BuiltAssets> {
  const [script, style] = await Promise.all([bundle('main.ts'), bundle('page.css')]);
  const page = readFileSync(join(here, 'page.html'), 'utf8')
    .replace('/* style */', () => style)
    .replace('/* script */', () => script);
  const charts = globSync('*.svg', { cwd: DRAWINGS }).map((file) => [
    basename(file, '.svg'),
    withInertStyle(readFileSync(join(DRAWINGS, file), 'utf8')),
  ]);
  return { page, charts: Object.fromEntries(charts) as Record<string, string> };
}

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(here, entry)],
    bundle: true,
    write: false,
    format: 'iife',
    target: ['chrome120', 'firefox120', 'safari17.4'],
    minify: true,
    charset: 'utf8',
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}

/**
 * The page's policy allows no style that stands in a document. The drawing keeps its own as plain text, which the page
 * makes a style sheet of.
 */
const withInertStyle = (svg: string): string =>
  svg.replace('<style>', '<metadata>').replace('</style>', '</metadata>');
