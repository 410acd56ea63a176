/** Comments and pages cite only what a reader of this repository has, and every such citation leads somewhere. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const FOLDERS = '{src,machines,convex,test,scripts,docker,docs,deploy}';
const files = globSync(
  [`${FOLDERS}/**/*.{ts,js,cjs,sh,css,html,md,yml,yaml}`, `${FOLDERS}/**/Dockerfile`, '*.{md,ts,js,yml}'],
  { cwd: ROOT },
).filter((path) => path !== 'scripts/citations.test.ts' && !path.startsWith('convex/_generated/'));
const pages = files.filter((path) => path.endsWith('.md'));

/** How comments name pages and chapters that are not here. */
const FOREIGN = [/\bcontract('s|’s)?[,.]?\s+\(?sections?\s+\d/i, /\bsections? \d/i, /\b(design|cases)\.md\b/];

describe('no file cites a page that the repository does not have', () => {
  test.each(FOREIGN)('%s', (pattern) => {
    const found = files.flatMap((path) =>
      read(path)
        .split('\n')
        .flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
    );
    expect(found).toEqual([]);
  });
});

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(
    [...read(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
      heading
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );

/** What is wrong with a citation of `target#anchor`, where `target` is a path from the root; null when it is right. */
function problemOf(target: string, anchor: string | undefined): string | null {
  if (!existsSync(join(ROOT, target))) return `${target} does not exist`;
  if (anchor === undefined || !target.endsWith('.md')) return null;
  return anchorsOf(target).has(anchor) ? null : `${target} has no heading #${anchor}`;
}

test('every page that code and pages name by its path from the root is there, with the anchor', () => {
  const broken = files.flatMap((path) =>
    [
      ...read(path).matchAll(/(?<![\w./-])((?:docs|machines|test|deploy)\/[\w./-]+\.md)(?:#([\w-]+))?/g),
    ].flatMap(([, target = '', anchor]) => {
      const fromHere = normalize(join(dirname(path), target));
      const problem = existsSync(join(ROOT, fromHere)) ? null : problemOf(target, anchor);
      return problem === null ? [] : [`${path}: ${problem}`];
    }),
  );
  expect(broken).toEqual([]);
});

test('every decision that is named by its number is there', () => {
  const numbers = new Set(globSync('docs/adr/*.md', { cwd: ROOT }).map((path) => path.slice(9, 13)));
  const broken = files.flatMap((path) =>
    [...read(path).matchAll(/docs\/adr\/(\d{4})(?!-)/g)].flatMap(([, number = '']) =>
      numbers.has(number) ? [] : [`${path}: docs/adr/${number} does not exist`],
    ),
  );
  expect(broken).toEqual([]);
});

describe('every link of a page leads to a file and a heading', () => {
  test.each(pages)('%s', (page) => {
    const links = [...read(page).matchAll(/\]\(([^()\s]+)\)|(?:src|srcset|href)="([^"\s]+)"/g)].map(
      ([, markdown, html]) => markdown ?? html ?? '',
    );
    const broken = links.flatMap((link) => {
      if (/^(?:[a-z]+:|\/\/)/.test(link)) return [];
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : normalize(join(dirname(page), path));
      const problem = problemOf(target, anchor);
      return problem === null ? [] : [problem];
    });
    expect(broken).toEqual([]);
  });
});
