import type { DatabaseSync } from 'node:sqlite';

/** The files of version 1 of the runtime: those of format 1 had no columns for a post that is begun. */
const NEW_COLUMNS = `
  ALTER TABLE notification ADD COLUMN begun_boot TEXT;
  ALTER TABLE notification ADD COLUMN begun_ms REAL;
  ALTER TABLE notification ADD COLUMN begun_after TEXT;`;

/** Version 1 counted no runs beyond the attempts. */
const CARRY_OVER = `
  INSERT INTO entry (key, value, touched_at)
  SELECT 'notification:' || id, json_object(
    'attempts', attempts,
    'runs', attempts,
    'posts', posts,
    'reply', iif(reply_text IS NULL OR reply_created_at IS NULL, NULL, json_object(
      'text', reply_text,
      'toolCalls', coalesce(reply_tool_calls, 0),
      'version', json_object('messageId', reply_message_id, 'createdAt', reply_created_at))),
    'answered', iif(answered_created_at IS NULL, NULL,
      json_object('messageId', answered_message_id, 'createdAt', answered_created_at)),
    'begun', iif(begun_boot IS NULL OR begun_ms IS NULL, NULL,
      json_object('at', json_object('boot', begun_boot, 'ms', begun_ms), 'after', begun_after))
  ), touched_at FROM notification;

  INSERT INTO entry (key, value, touched_at)
  SELECT 'upgrade-exit', json_object(
    'targetOpenclawVersion', target_openclaw_version,
    'targetRuntimeVersion', target_runtime_version,
    'initiatedAt', initiated_at,
    'fromOpenclawVersion', from_openclaw_version,
    'fromRuntimeVersion', from_runtime_version
  ), unixepoch() * 1000 FROM upgrade_exit;

  DROP TABLE notification;
  DROP TABLE upgrade_exit;`;

/** Makes entries of the tables of version 1 (notifications, and the upgrade that a process left for), and drops them. */
export function carryOver(database: DatabaseSync, format: 1 | 2): void {
  if (format === 1) database.exec(NEW_COLUMNS);
  database.exec(CARRY_OVER);
}
