/**
 * Warnings about variables that are changed before use, mean nothing here, or look mistyped. None of them stops a
 * start.
 */
import { closest, distance } from 'fastest-levenshtein';
import { OutOfRange } from './errors.ts';
import { retiredSettings } from './retired.ts';
import type { Notes } from './settings.ts';
import type { Given } from './sources.ts';

/** One sentence about one variable, for the log. */
export interface Advice {
  event: 'settings.clamped' | 'settings.retired' | 'settings.unknown' | 'settings.version';
  name: string;
  message: string;
}

/** Puts the nearest allowed value in place of every number that is out of range. */
export function clampNumbers(given: Map<string, Given>, notes: ReadonlyMap<string, Notes>): Advice[] {
  return [...given].flatMap(([name, { text, source }]): Advice[] => {
    const note = notes.get(name);
    const nearest = note && nearestOf(note, text);
    if (note === undefined || nearest == null) return [];
    given.set(name, { text: nearest.text, source });
    const message = `${name}: ${nearest.problem} (got ${JSON.stringify(text.slice(0, 80))}), so it is taken as ${nearest.text}; set ${note.ruleText}`;
    return [{ event: 'settings.clamped', name, message }];
  });
}

function nearestOf(notes: Notes, text: string): { text: string; problem: string } | null {
  try {
    notes.normal(text);
    return null;
  } catch (error) {
    // The check of the settings reports any other problem as an error.
    return error instanceof OutOfRange ? { text: error.nearest, problem: error.message } : null;
  }
}

/** @returns a sentence for each variable of the earlier runtime that means nothing here, and for each mistyped name */
export function adviseOnNames(env: NodeJS.ProcessEnv, notes: ReadonlyMap<string, Notes>): Advice[] {
  const names = [...notes].flatMap(([name, { file }]) => (file ? [name, `${name}_FILE`] : [name]));
  return Object.entries(env).flatMap(([name, text = '']): Advice[] => {
    if (text.trim() === '' || names.includes(name)) return [];
    const replacement = retiredSettings.get(name);
    if (replacement !== undefined) {
      return [{ event: 'settings.retired', name, message: `${name}: is not used here; ${replacement}` }];
    }
    const meant = looksLike(name, names);
    if (meant === null) return [];
    const message = `${name}: there is no such setting, so it is left alone; did you mean ${meant}?`;
    return [{ event: 'settings.unknown', name, message }];
  });
}

/** A version that is set by hand stays the same after the next upgrade, so that upgrade never seems to be done. */
export function adviseOnVersion(given: ReadonlyMap<string, Given>, ofBuild: string): Advice[] {
  const name = 'RUNTIME_VERSION';
  const text = given.get(name)?.text ?? ofBuild;
  if (text === ofBuild) return [];
  const message = `${name}: ${text} is reported in place of this build's ${ofBuild}; remove it unless that is meant`;
  return [{ event: 'settings.version', name, message }];
}

/** Names shorter than this are often another program's own. */
const TELLING_LENGTH = 9;
/** Edits between a name and what was meant. */
const TYPING_SLIP = 2;

/** @returns the setting that was most likely meant; null when the name looks like another program's */
function looksLike(name: string, names: readonly string[]): string | null {
  if (name.length < TELLING_LENGTH || !name.includes('_')) return null;
  const nearest = closest(name.toUpperCase(), names);
  return distance(name.toUpperCase(), nearest) <= TYPING_SLIP ? nearest : null;
}
