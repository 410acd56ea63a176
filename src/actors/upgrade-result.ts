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
 * @returns rejects with Fault backendUnavailable or backendRefused; the file stays for the next time then
 */
export function createUpgradeResultReporter(around: UpgradeResultSurroundings) {
  const { missionControl, stateDir, versions, log } = around;
  const path = join(stateDir, 'upgrade-result.json');
  const aside = `${path}.refused`;
  /** A file that cannot be taken away must not be told again and again. */
  let told: string | null = null;

  return async (signal: AbortSignal): Promise<void> => {
    const text = readIfThere(path);
    if (text === null || text === told) return;
    const { success, output: result } = v.safeParse(Result, text);
    const problem = success ? await record(result, signal) : 'it is not the result of an upgrade';
    told = text;
    if (problem === null) {
      rmSync(path);
      return;
    }
    renameSync(path, aside);
    log.warn(
      'upgrade.resultRefused',
      `${path} is not told to Mission Control: ${problem}. It is ${aside} now.`,
    );
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
   * A result ends the request that is pending (contract, section 4), so a success is told once at most: not when the
   * versions of a status report have settled the request already, and not while another upgrade is asked for.
   */
  async function isSettled(requested: boolean, signal: AbortSignal): Promise<boolean> {
    const pending = await missionControl.getPendingUpgrade(signal);
    return pending === null ? requested : !isReached(pending, versions());
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
