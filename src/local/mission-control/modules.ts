import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Modules } from './engine/functions.ts';
import { readSchema } from './engine/schema.ts';

const root = fileURLToPath(new URL('../../../convex', import.meta.url));

/**
 * Loads convex/ as a deployment would, without files with two dots in their names (tests, type declarations).
 * @throws Error that names the file that cannot be loaded
 */
export async function loadModules(): Promise<Modules> {
  const modules = new Map<string, Record<string, unknown>>();
  const all = globSync('**/*.{ts,js}', { cwd: root });
  const files = all.filter((file) => basename(file).split('.').length === 2);
  // The schema is loaded first, because other files import it and its error would be reported as theirs.
  const schema = files.find((file) => nameOf(file) === 'schema') ?? 'schema.ts';
  readSchema((await load(schema))['default']);
  for (const file of files) modules.set(nameOf(file), { ...(await load(file)) });
  return modules;
}

const nameOf = (file: string): string => file.replaceAll('\\', '/').replace(/\.[jt]s$/, '');

async function load(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(join(root, file)).href)) as Record<string, unknown>;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `convex/${file} cannot be loaded: ${reason.split('\n', 1)[0]}. Correct it, and start again.`,
      {
        cause: error,
      },
    );
  }
}
