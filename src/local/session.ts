import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

/** Another directory lets a second stack run beside the first, for example in a test. */
export const DEV_DIRECTORY = process.env['DEV_DIR'] ?? join(import.meta.dirname, '../../.runtime');
const FILE = join(DEV_DIRECTORY, 'dev.json');

/** The runtime's state during `npm run dev`. */
export const DEV_STATE_DIR = join(DEV_DIRECTORY, 'dev-state');

/** What Mission Control keeps during `npm run dev`; the stack of compose has a place of its own, and another owner. */
export const DATA_DIR = join(DEV_DIRECTORY, 'dev-data');

const Session = v.object({
  convexUrl: v.string(),
  accountId: v.string(),
  serviceToken: v.string(),
  /** Opens what people do: write, create, assign. */
  personToken: v.string(),
  healthUrl: v.string(),
  gatewayUrl: v.string(),
  /** Absent when the inspector is off. */
  inspectorUrl: v.optional(v.string()),
  tasks: v.array(v.object({ _id: v.string(), title: v.string() })),
});

/** Where the stack of `npm run dev` listens, so that `npm run say` finds it. */
export type DevSession = v.InferOutput<typeof Session>;

export function writeSession(session: DevSession): void {
  mkdirSync(DEV_DIRECTORY, { recursive: true });
  // It holds the demo account's tokens.
  writeFileSync(FILE, JSON.stringify(session), { mode: 0o600 });
}

export const removeSession = (): void => rmSync(FILE, { force: true });

/** @returns null when no `npm run dev` is running, or its file cannot be read */
export function readSession(): DevSession | null {
  try {
    return v.parse(Session, JSON.parse(readFileSync(FILE, 'utf8')));
  } catch {
    return null;
  }
}
