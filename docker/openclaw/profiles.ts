/** The profiles of all agents: which have changed, and the workspaces that they go into. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LARGEST_PROFILE, parseProfile, type Profile } from './profile.ts';
import { applyProfile, isTouched, type Applied, type Marks } from './workspace.ts';

interface Known {
  /** The profile's file when it was read last. */
  mark: string;
  profile: Profile | null;
  marks: Marks;
  /** What was said of it last: the same every second tells nobody anything. */
  told: ReadonlySet<string>;
}

export interface Profiles {
  /**
   * Brings each agent's workspace up to date: its profile, and what was changed in the workspace.
   * @param applied by agent id, what was written before
   * @returns the same for now; the very same object when nothing was to be done
   */
  apply(ids: Iterable<string>, applied: Record<string, Applied>): Record<string, Applied>;
  /** Mission Control's word for an agent's model; null where there is none. */
  modelOf(id: string): string | null;
}

/**
 * @param directory where the runtime publishes the profiles
 * @param workspaces the directory in which each agent has one of its own
 */
export function createProfiles(directory: string, workspaces: string, log: (line: string) => void): Profiles {
  const known = new Map<string, Known>();

  /** @returns whether there is another profile than before */
  function refresh(id: string, agent: Known, note: (line: string) => void): boolean {
    const path = join(directory, `${id}.json`);
    const mark = markOf(path);
    if (mark === agent.mark) return false;
    agent.mark = mark;
    if (mark === '') return false;
    try {
      agent.profile = parseProfile(readFileSync(path, 'utf8'), (what) => note(`left out: ${what}`));
      return true;
    } catch (error) {
      // A broken profile leaves what is there.
      note(`its profile is not taken over: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }

  function applyTo(id: string, applied: Applied): Applied {
    const agent = known.get(id) ?? { mark: '', profile: null, marks: new Map(), told: new Set() };
    known.set(id, agent);
    const lines = new Set<string>();
    const note = (line: string): void => void lines.add(`${id}: ${line}`);
    const isNew = refresh(id, agent, note);
    let now = applied;
    if (agent.profile !== null && (isNew || isTouched(workspaces, id, agent.marks))) {
      now = applyProfile(workspaces, id, agent.profile, applied, agent.marks, note);
      for (const line of lines) if (!agent.told.has(line)) log(line);
      agent.told = lines;
    } else {
      for (const line of lines) log(line);
    }
    return now;
  }

  return {
    apply: (ids, applied) => {
      let result = applied;
      for (const id of ids) {
        const before = result[id] ?? {};
        const now = applyTo(id, before);
        if (JSON.stringify(now) !== JSON.stringify(before)) result = { ...result, [id]: now };
      }
      return result;
    },
    modelOf: (id) => known.get(id)?.profile?.model ?? null,
  };
}

/** Empty where there is no plain file of a size that a profile may have. */
function markOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.size > LARGEST_PROFILE) return '';
  return `${stats.ino}:${stats.mtimeMs}:${stats.size}`;
}
