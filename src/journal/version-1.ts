import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';

/**
 * Carries what version 1 of the runtime kept (a table for notifications, one for the upgrade that a process left for)
 * over into entries, and drops its tables. Its first files had no columns for a post that is begun.
 */
export function carryOver(database: DatabaseSync): void {
  const insert = database.prepare('INSERT INTO entry (key, value, touched_at) VALUES (?, ?, ?)');
  for (const row of v.parse(Notifications, database.prepare('SELECT * FROM notification').all())) {
    insert.run(`notification:${row.id}`, JSON.stringify(entryOf(row)), row.touched_at);
  }
  for (const row of v.parse(UpgradeExits, database.prepare('SELECT * FROM upgrade_exit').all())) {
    const exit = {
      targetOpenclawVersion: row.target_openclaw_version,
      targetRuntimeVersion: row.target_runtime_version,
      initiatedAt: row.initiated_at,
      fromOpenclawVersion: row.from_openclaw_version,
      fromRuntimeVersion: row.from_runtime_version,
    };
    insert.run('upgrade-exit', JSON.stringify(exit), Date.now());
  }
  database.exec('DROP TABLE notification; DROP TABLE upgrade_exit');
}

const Notifications = v.array(
  v.object({
    id: v.string(),
    attempts: v.number(),
    posts: v.number(),
    reply_text: v.nullable(v.string()),
    reply_tool_calls: v.nullable(v.number()),
    reply_message_id: v.nullable(v.string()),
    reply_created_at: v.nullable(v.number()),
    answered_message_id: v.nullable(v.string()),
    answered_created_at: v.nullable(v.number()),
    begun_boot: v.nullish(v.string(), null),
    begun_ms: v.nullish(v.number(), null),
    begun_after: v.nullish(v.string(), null),
    touched_at: v.number(),
  }),
);

const UpgradeExits = v.array(
  v.object({
    target_openclaw_version: v.string(),
    target_runtime_version: v.string(),
    initiated_at: v.number(),
    from_openclaw_version: v.string(),
    from_runtime_version: v.string(),
  }),
);

function entryOf(row: v.InferOutput<typeof Notifications>[number]) {
  const version = (messageId: string | null, createdAt: number | null) =>
    createdAt === null ? null : { messageId, createdAt };
  const replied = version(row.reply_message_id, row.reply_created_at);
  return {
    attempts: row.attempts,
    // Version 1 counted no runs beyond the attempts.
    runs: row.attempts,
    posts: row.posts,
    reply:
      row.reply_text === null || replied === null
        ? null
        : { text: row.reply_text, toolCalls: row.reply_tool_calls ?? 0, version: replied },
    answered: version(row.answered_message_id, row.answered_created_at),
    begun:
      row.begun_boot === null || row.begun_ms === null
        ? null
        : { at: { boot: row.begun_boot, ms: row.begun_ms }, after: row.begun_after },
  };
}
