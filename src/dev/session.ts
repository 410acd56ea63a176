import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as v from 'valibot';

const ROOT = join(import.meta.dirname, '../..');
const FILE = join(ROOT, '.runtime/dev.json');

/** The runtime's state during `npm run dev`. */
export const DEV_STATE_DIR = join(ROOT, '.runtime/dev-state');

const Session = v.object({
  convexUrl: v.string(),
  accountId: v.string(),
  serviceToken: v.string(),
  healthUrl: v.string(),
  gatewayUrl: v.string(),
  tasks: v.array(v.object({ _id: v.string(), title: v.string() })),
});

/** Where the stack of `npm run dev` listens, so that `npm run say` finds it. */
export type DevSession = v.InferOutput<typeof Session>;

export function writeSession(session: DevSession): void {
  mkdirSync(dirname(FILE), { recursive: true });
  // It holds the demo account's token.
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
