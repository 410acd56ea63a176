import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { faultOf } from '../../machines/shared/fault.ts';
import { isReached, type Versions } from '../../machines/upgrade/judge.ts';
import type { Log } from '../logging/log.ts';
import type { MissionControl, UpgradeResult } from '../ports.ts';

interface ResultFile extends UpgradeResult {
  /** Whether Mission Control had asked for an upgrade when this one began. */
  requested?: boolean;
}

const Result: v.GenericSchema<unknown, ResultFile> = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    status: v.picklist(['success', 'failed', 'rolled_back']),
    fromOpenclawVersion: v.string(),
    toOpenclawVersion: v.string(),
    fromRuntimeVersion: v.string(),
    toRuntimeVersion: v.string(),
    duration: v.optional(v.number()),
    error: v.optional(v.string()),
    requested: v.optional(v.boolean()),
  }),
);

export interface UpgradeResultSurroundings {
  missionControl: Pick<MissionControl, 'recordUpgradeResult' | 'getPendingUpgrade'>;
  stateDir: string;
  versions: () => Versions;
  log: Pick<Log, 'info' | 'warn'>;
}

/**
 * Tells Mission Control of the upgrade that the upgrade script left a mark of, `upgrade-result.json` in STATE_DIR,
 * and takes the file away. What is no result, or is refused, is set aside with one warning.
 *
 * @returns why the file cannot be read or taken away, or null; rejects with Fault backendUnavailable or backendRefused,
 * and the file stays for the next time then
 */
export function createUpgradeResultReporter(around: UpgradeResultSurroundings) {
  const { missionControl, stateDir, versions, log } = around;
  const path = join(stateDir, 'upgrade-result.json');
  const aside = `${path}.refused`;
  /** A file that cannot be taken away must not be told again and again. */
  let told: string | null = null;

  return async (signal: AbortSignal): Promise<string | null> => {
    const file = readIfThere(path);
    if ('problem' in file) return file.problem;
    if (file.text === null || file.text === told) return null;
    const { success, output: result } = v.safeParse(Result, file.text);
    const problem = success ? await record(result, signal) : 'it is not the result of an upgrade';
    told = file.text;
    if (problem === null) return attempt(path, 'be removed', () => rmSync(path));
    log.warn(
      'upgrade.resultRefused',
      `${path} is not told to Mission Control: ${problem}. Its name is ${aside} now.`,
    );
    return attempt(path, `be renamed to ${aside}`, () => renameSync(path, aside));
  };

  /** @returns what is wrong with it, null when Mission Control knows it */
  async function record(
    { requested = false, ...result }: ResultFile,
    signal: AbortSignal,
  ): Promise<string | null> {
    if (result.status === 'success' && (await isSettled(requested, signal))) return null;
    try {
      await missionControl.recordUpgradeResult(result, signal);
    } catch (error) {
      const { kind, message } = faultOf(error);
      if (kind !== 'backendRejected') throw error;
      return message;
    }
    log.info('upgrade.resultReported', `Mission Control knows that the last upgrade was ${result.status}`);
    return null;
  }

  /**
   * A result ends the request that is pending (docs/contract.md#functions), so a success is told once at most: not when the
   * versions of a status report have settled the request already, and not while another upgrade is asked for.
   */
  async function isSettled(requested: boolean, signal: AbortSignal): Promise<boolean> {
    const pending = await missionControl.getPendingUpgrade(signal);
    return pending === null ? requested : !isReached(pending, versions());
  }
}

/** The text, which is null where there is no such file; or why it cannot be read. */
function readIfThere(path: string): { text: string | null } | { problem: string } {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { text: null };
    return { problem: sentence(path, 'be read', error) };
  }
}

function attempt(path: string, what: string, act: () => void): string | null {
  try {
    act();
    return null;
  } catch (error) {
    return sentence(path, what, error);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';

const sentence = (path: string, what: string, error: unknown): string =>
  `${path} cannot ${what} (${codeOf(error)}), so the result of the last upgrade may stay untold: remove the file, or let the runtime's user read it and write in its directory.`;
