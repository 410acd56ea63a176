/** OpenClaw's configuration file: people write it as JSON5, as OpenClaw itself allows; here it is written as JSON. */
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import JSON5 from 'json5';
import { isObject, type Json, type JsonObject } from './json.ts';

export interface ConfigFile {
  config: JsonObject;
  /** Whether it says more than JSON can: comments, other quotes, a byte order mark. */
  isJson5: boolean;
}

/**
 * @returns null where there is no file
 * @throws Error that names the file, and line and column where it is not even JSON5; it quotes nothing of it
 */
export function readConfig(path: string): ConfigFile | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const { value, isJson5 } = parse(path, text);
  if (!isObject(value)) throw new Error(`${path} holds no object: remove it to begin with the template`);
  return { config: value, isJson5 };
}

function parse(path: string, text: string): { value: Json; isJson5: boolean } {
  try {
    return { value: JSON.parse(text) as Json, isJson5: false };
  } catch {
    return { value: parseJson5(path, text), isJson5: true };
  }
}

function parseJson5(path: string, text: string): Json {
  try {
    return JSON5.parse<Json>(text);
  } catch (error) {
    throw new Error(
      `${path} is neither JSON nor JSON5${placeOf(error)}: correct it, or remove it to begin with the template`,
      { cause: error },
    );
  }
}

/** The parser's own message quotes the file, which may hold a secret. */
function placeOf(error: unknown): string {
  const isPlaced = error instanceof Error && 'lineNumber' in error && 'columnNumber' in error;
  return isPlaced ? ` (line ${String(error.lineNumber)}, column ${String(error.columnNumber)})` : '';
}

/**
 * Keeps a file as its author wrote it. OpenClaw rotates `.bak` whenever it writes its configuration, so after a few
 * changes only the second copy is left.
 *
 * @returns the names of the copies
 */
export function keepAsWritten(path: string): string[] {
  const copies = [`${path}.bak`, `${path}.as-written`];
  for (const copy of copies) copyFileSync(path, copy);
  return copies;
}

/** Writes the file in one step, for its owner alone. */
export function writeConfig(path: string, config: JsonObject): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
