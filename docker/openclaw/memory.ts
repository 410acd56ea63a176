/** What this side did, for the next start: in the gateway's state directory, outside the agents' workspaces. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Applied } from './workspace.ts';

export interface Memory {
  /** By agent id, what was written into its workspace. */
  workspaces: Record<string, Applied>;
  /** By agent id, the model that was set. */
  models: Record<string, string>;
}

/** A file that is missing or broken is an empty memory: what differs in a workspace is then kept aside once more. */
export function readMemory(path: string): Memory {
  const fields = fieldsAt(path);
  const workspaces = isRecord(fields['workspaces']) ? fields['workspaces'] : {};
  return {
    workspaces: Object.fromEntries(Object.entries(workspaces).map(([id, applied]) => [id, textsOf(applied)])),
    models: textsOf(fields['models']),
  };
}

function fieldsAt(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

export function writeMemory(path: string, memory: Memory): void {
  writeFileSync(`${path}.new`, JSON.stringify(memory), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textsOf = (value: unknown): Record<string, string> =>
  isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      )
    : {};
