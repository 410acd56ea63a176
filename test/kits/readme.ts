/** The README's commands, as somebody copies them, and a fresh clone to try them in. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const REPO = join(import.meta.dirname, '../..');

/** The shell blocks of a section, in their order. @throws Error where the README has no such section */
export function readmeCommands(heading: string): string[] {
  const sections = readFileSync(join(REPO, 'README.md'), 'utf8').split(/^## /m);
  const section = sections.find((one) => one.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`README.md has no section "${heading}".`);
  return [...section.matchAll(/^```sh\n(.*?)\n```$/gms)].flatMap(([, block]) => block ?? []);
}

/** @returns a new directory with what is under version control, as it is now */
export function copyCheckout(prefix: string): string {
  const root = mkdtempSync(join(tmpdir(), prefix));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: REPO,
  });
  for (const path of listed.toString().split('\0')) {
    if (path !== '' && existsSync(join(REPO, path))) cpSync(join(REPO, path), join(root, path));
  }
  return root;
}
