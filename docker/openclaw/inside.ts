/**
 * Reads and writes inside one directory and nowhere else. Every step of a path is opened by itself, as a directory and
 * without following a link, and the next step is taken from there (`/proc/self/fd`, which is Linux's): a link that
 * somebody puts in the way meanwhile leads nowhere.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A name in an open directory. */
const at = (directory: number, name: string): string => `/proc/self/fd/${directory}/${name}`;

/** Something that is not a plain file or a plain directory stands in the way. */
export class InTheWay extends Error {}

/**
 * Opens a directory of `root`, makes what is missing on the way, and lets `use` work there.
 * @param root trusted: it is opened as it is
 * @param steps names, each without a slash
 * @throws InTheWay where a step is a link or a file
 */
export function inside<T>(root: string, steps: readonly string[], use: (directory: number) => T): T {
  let directory = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    for (const step of steps) {
      const next = openStep(directory, step);
      closeSync(directory);
      directory = next;
    }
    return use(directory);
  } finally {
    closeSync(directory);
  }
}

function openStep(directory: number, step: string): number {
  if (step === '' || step === '.' || step === '..' || step.includes('/'))
    throw new InTheWay(`${step} is no name`);
  try {
    return openSync(at(directory, step), DIRECTORY);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ELOOP' || code === 'ENOTDIR') throw new InTheWay(`${step} is a link or a file`);
    if (code !== 'ENOENT') throw error;
    mkdirSync(at(directory, step), 0o700);
    return openSync(at(directory, step), DIRECTORY);
  }
}

export interface Seen {
  /** Changes whenever the file does. */
  mark: string;
  size: number;
}

/**
 * @returns null where there is nothing of that name
 * @throws InTheWay where it is no plain file
 */
export function look(directory: number, name: string): Seen | null {
  const stats = lstatSync(at(directory, name), { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (!stats.isFile()) throw new InTheWay(`${name} is no plain file`);
  return { mark: `${stats.ino}:${stats.mtimeMs}:${stats.ctimeMs}:${stats.size}`, size: stats.size };
}

/** @throws InTheWay where it is no plain file, or larger than so many bytes */
export function read(directory: number, name: string, largest: number): string {
  let file: number;
  try {
    file = openSync(at(directory, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ELOOP') throw new InTheWay(`${name} is a link`);
    throw error;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new InTheWay(`${name} is no plain file`);
    if (stats.size > largest) throw new InTheWay(`${name} is too large`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/** Writes a file in one step. A link of that name is replaced, never followed. */
export function write(directory: number, name: string, text: string): void {
  const fresh = `.${name}.mission-control`;
  rmSync(at(directory, fresh), { force: true });
  const file = openSync(at(directory, fresh), NEW_FILE, 0o600);
  try {
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
  renameSync(at(directory, fresh), at(directory, name));
}

/** Removes a name and all below it; links below it are removed and not followed. */
export const remove = (directory: number, name: string): void =>
  rmSync(at(directory, name), { recursive: true, force: true });

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null);
