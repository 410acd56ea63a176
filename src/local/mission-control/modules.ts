import { glob } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../../convex', import.meta.url));

/** A module of convex/, by the name that function paths use: `service/actions`. */
export type Modules = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/**
 * Loads convex/ as a deployment would: not what has two dots in its name (tests, type declarations). All of it now, so
 * that no module is first evaluated inside a transaction.
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
