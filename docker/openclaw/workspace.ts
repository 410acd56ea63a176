/** Writes an agent's profile into its workspace, and puts back what was changed there. */
import { createHash } from 'node:crypto';
import { inside, InTheWay, look, read, remove, write } from './inside.ts';
import { skillFile, type Profile } from './profile.ts';

/** What was written into one workspace: by path, the hash of the text. It outlives the process. */
export type Applied = Record<string, string>;

/** By path, how the file looked when it was written or found right: while it looks so it is not read again. */
export type Marks = Map<string, string>;

const BEGIN = '<!-- mission-control:begin (written by Mission Control; edits are put back) -->';
const END = '<!-- mission-control:end -->';
const SKILLS = ['skills', 'mission-control'] as const;

/** Bytes: a larger file is somebody's own matter. */
const LARGEST_FILE = 2 * 1_024 * 1_024;

interface Managed {
  /** The directory's names, from the workspace. */
  steps: readonly string[];
  name: string;
  text: string;
  /** Only a block of the file is ours. */
  isBlock?: boolean;
}

/**
 * @param root the directory of all workspaces; `id` is the agent's below it
 * @param applied what the last call returned; {} for the first
 * @param note is told what was kept aside and what could not be written
 * @returns what is written there now
 */
export function applyProfile(
  root: string,
  id: string,
  profile: Profile,
  applied: Readonly<Applied>,
  marks: Marks,
  note: (line: string) => void,
): Applied {
  const now: Applied = {};
  for (const file of managedFiles(profile)) {
    const path = [...file.steps, file.name].join('/');
    try {
      inside(root, [id, ...file.steps], (directory) =>
        apply(directory, path, file, applied[path], marks, note),
      );
      now[path] = hashOf(file.text);
    } catch (error) {
      note(`${path} is left alone: ${messageOf(error)}`);
      // It is tried again at every look.
      marks.set(path, '');
      const before = applied[path];
      if (before !== undefined) now[path] = before;
    }
  }
  for (const path of Object.keys(applied).filter((known) => !(known in now))) {
    if (!forget(root, id, path, note)) now[path] = applied[path] ?? '';
    marks.delete(path);
  }
  return now;
}

/** Whether a file looks other than it did when it was written: somebody changed it, or took it away. */
export function isTouched(root: string, id: string, marks: Marks): boolean {
  for (const [path, mark] of marks) {
    const steps = path.split('/');
    const name = steps.pop() ?? '';
    try {
      if (inside(root, [id, ...steps], (directory) => look(directory, name)?.mark) !== mark) return true;
    } catch {
      return true;
    }
  }
  return false;
}

function managedFiles({ soul, identity, user, agents, skills }: Profile): Managed[] {
  const whole: [string, string | null][] = [
    ['SOUL.md', soul],
    ['IDENTITY.md', identity],
    ['USER.md', user],
  ];
  return [
    ...whole.flatMap(([name, text]) => (text === null ? [] : [{ steps: [], name, text }])),
    ...(agents === null ? [] : [{ steps: [], name: 'AGENTS.md', text: agents, isBlock: true }]),
    ...skills.map((skill) => ({ steps: [...SKILLS, skill.slug], name: 'SKILL.md', text: skillFile(skill) })),
  ];
}

function apply(
  directory: number,
  path: string,
  { name, text, isBlock = false }: Managed,
  before: string | undefined,
  marks: Marks,
  note: (line: string) => void,
): void {
  const seen = look(directory, name);
  if (seen !== null && seen.mark === marks.get(path) && before === hashOf(text)) return;
  const there = seen === null ? null : read(directory, name, LARGEST_FILE);
  const ours = there === null ? null : isBlock ? blockOf(there) : there;
  if (ours !== text) {
    // Neither what was written last nor what is to be written: somebody's edit.
    if (there !== null && ours !== null && hashOf(ours) !== before) {
      write(directory, `${name}.edited`, there);
      note(
        `${path} was edited there: the edit is kept in ${path}.edited, and Mission Control's text is put back`,
      );
    }
    write(directory, name, isBlock ? withBlock(there ?? '', text) : text);
  }
  marks.set(path, look(directory, name)?.mark ?? '');
}

/** Takes away a skill that is not the agent's any more. What is no skill stays. @returns whether it is dealt with */
function forget(root: string, id: string, path: string, note: (line: string) => void): boolean {
  const steps = path.split('/');
  const slug = steps[SKILLS.length] ?? '';
  if (steps.length !== SKILLS.length + 2 || slug === '') return true;
  try {
    inside(root, [id, ...SKILLS], (directory) => remove(directory, slug));
    return true;
  } catch (error) {
    note(`${path} could not be taken away: ${messageOf(error)}`);
    // Nothing of ours is behind a link.
    return error instanceof InTheWay;
  }
}

/** @returns null where there is no block */
function blockOf(text: string): string | null {
  const begin = text.lastIndexOf(BEGIN);
  const end = text.indexOf(END, begin);
  return begin < 0 || end < 0 ? null : text.slice(begin + BEGIN.length + 1, end);
}

/** The same text with this block: in the old one's place, or at the end. */
function withBlock(text: string, block: string): string {
  const marked = `${BEGIN}\n${block}${END}`;
  const begin = text.lastIndexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin >= 0 && end >= 0) return text.slice(0, begin) + marked + text.slice(end + END.length);
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${before}${before === '' ? '' : '\n'}${marked}\n`;
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
