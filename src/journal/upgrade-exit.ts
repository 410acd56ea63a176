import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { Journal, UpgradeExit } from '../ports.ts';

const upgradeExit: v.GenericSchema<unknown, UpgradeExit> = v.object({
  targetOpenclawVersion: v.string(),
  targetRuntimeVersion: v.string(),
  initiatedAt: v.number(),
  fromOpenclawVersion: v.string(),
  fromRuntimeVersion: v.string(),
});

/** The journal's part for the upgrade that a process exited for: one row or none. */
export function upgradeJournal(database: DatabaseSync): Pick<Journal, 'readUpgradeExit' | 'saveUpgradeExit'> {
  const select = database.prepare(`
    SELECT target_openclaw_version AS targetOpenclawVersion, target_runtime_version AS targetRuntimeVersion,
      initiated_at AS initiatedAt, from_openclaw_version AS fromOpenclawVersion,
      from_runtime_version AS fromRuntimeVersion
    FROM upgrade_exit`);
  const replace = database.prepare('INSERT OR REPLACE INTO upgrade_exit VALUES (1, ?, ?, ?, ?, ?)');
  const clear = database.prepare('DELETE FROM upgrade_exit');

  return {
    readUpgradeExit: () => {
      const row = select.get();
      return row === undefined ? null : v.parse(upgradeExit, row);
    },
    saveUpgradeExit: (exit) => {
      if (exit === null) clear.run();
      else
        replace.run(
          exit.targetOpenclawVersion,
          exit.targetRuntimeVersion,
          exit.initiatedAt,
          exit.fromOpenclawVersion,
          exit.fromRuntimeVersion,
        );
    },
  };
}
