import { statSync } from 'node:fs';
import { Fault } from '../../machines/shared/fault.ts';

/** Another runtime has STATE_DIR. */
export class StateDirInUse extends Fault {
  override readonly name = 'StateDirInUse';

  /** @param pid of the other runtime, null when it cannot be told */
  constructor(stateDir: string, pid: number | null) {
    const owner = pid === null ? 'another runtime' : `another runtime (process ${pid})`;
    super(
      'journalUnavailable',
      `STATE_DIR (${stateDir}) is in use by ${owner}. An account has one runtime at a time: stop the other one first.`,
    );
  }
}

/** @param error what the file system or SQLite threw; @returns a fault whose message is for an operator */
export function unavailable(stateDir: string, error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault(
    'journalUnavailable',
    `The journal in STATE_DIR (${stateDir}) cannot be used: ${reasonOf(error)}. ` +
      'STATE_DIR must be a directory that the runtime may write to, with space left.',
    { cause: error },
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The file system repeats the path after a comma.
  const reason = error.message.replace(/, .*/s, '');
  const isDenied = 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
  return isDenied && 'path' in error ? `${reason}: ${ownership(String(error.path))}` : reason;
}

function ownership(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return path;
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  return `${path} belongs to user ${found.uid} with mode ${mode}, and the runtime is user ${process.geteuid?.()}`;
}
