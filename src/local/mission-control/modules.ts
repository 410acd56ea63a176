import { glob } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Modules } from './engine/functions.ts';

const root = fileURLToPath(new URL('../../../convex', import.meta.url));

/**
 * Loads convex/ as a deployment would: not what has two dots in its name (tests, type declarations).
 */
export async function loadModules(): Promise<Modules> {
  const modules = new Map<string, Record<string, unknown>>();
  for await (const file of glob('**/*.{ts,js}', { cwd: root })) {
    if (basename(file).split('.').length > 2) continue;
    const loaded: unknown = await import(pathToFileURL(join(root, file)).href);
    const name = file.replaceAll('\\', '/').replace(/\.[jt]s$/, '');
    if (typeof loaded === 'object') modules.set(name, { ...loaded });
  }
  return modules;
}
