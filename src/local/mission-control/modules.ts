import { glob } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Modules } from './engine/functions.ts';
import { readSchema } from './engine/schema.ts';

const root = fileURLToPath(new URL('../../../convex', import.meta.url));

/**
 * Loads convex/ as a deployment would: not what has two dots in its name (tests, type declarations).
 * @throws Error that names the file that cannot be loaded
 */
export async function loadModules(): Promise<Modules> {
  const modules = new Map<string, Record<string, unknown>>();
  // Other files need it: what is wrong with it would be told of them.
  readSchema((await load('schema.ts'))['default']);
  for await (const file of glob('**/*.{ts,js}', { cwd: root })) {
    if (basename(file).split('.').length > 2) continue;
    const name = file.replaceAll('\\', '/').replace(/\.[jt]s$/, '');
    modules.set(name, { ...(await load(file)) });
  }
  return modules;
}

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
