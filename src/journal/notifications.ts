import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { Journal, JournalEntry } from '../ports.ts';
import { thisMoment } from './moment.ts';

export type NotificationJournal = Pick<
  Journal,
  | 'read'
  | 'unfinished'
  | 'beginAttempt'
  | 'refundAttempt'
  | 'saveReply'
  | 'startOver'
  | 'beginPost'
  | 'markPosted'
  | 'markSettled'
  | 'forget'
>;

/** The journal's part for notifications, as prepared statements. @param now milliseconds since the epoch */
export function notificationJournal(database: DatabaseSync, now: () => number): NotificationJournal {
  const select = database.prepare(`
    SELECT attempts, posts, reply_text AS replyText, reply_tool_calls AS replyToolCalls,
      reply_message_id AS replyMessageId, reply_created_at AS replyCreatedAt,
      answered_message_id AS answeredMessageId, answered_created_at AS answeredCreatedAt,
      begun_boot AS begunBoot, begun_ms AS begunMs, begun_after AS begunAfter
    FROM notification WHERE id = ?`);
  const count = database.prepare(`
    INSERT INTO notification (id, attempts, touched_at) VALUES (?, 1, ?)
    ON CONFLICT (id) DO UPDATE SET attempts = attempts + 1, touched_at = excluded.touched_at
    RETURNING attempts`);
  const refund = database.prepare('UPDATE notification SET attempts = max(0, attempts - 1) WHERE id = ?');
  const keep = database.prepare(`
    INSERT INTO notification (id, reply_text, reply_tool_calls, reply_message_id, reply_created_at, touched_at)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET reply_text = excluded.reply_text, reply_tool_calls = excluded.reply_tool_calls,
      reply_message_id = excluded.reply_message_id, reply_created_at = excluded.reply_created_at,
      touched_at = excluded.touched_at, ${NOTHING_BEGUN}`);
  const startOver = database.prepare(`
    UPDATE notification SET attempts = 0, reply_text = NULL, reply_tool_calls = NULL, reply_message_id = NULL,
      reply_created_at = NULL, ${NOTHING_BEGUN} WHERE id = ?`);
  const begin = database.prepare(`
    INSERT INTO notification (id, begun_boot, begun_ms, begun_after, touched_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET begun_boot = excluded.begun_boot, begun_ms = excluded.begun_ms,
      begun_after = excluded.begun_after, touched_at = excluded.touched_at`);
  const post = database.prepare(`
    INSERT INTO notification (id, posts, answered_message_id, answered_created_at, touched_at) VALUES (?, 1, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET posts = posts + 1, attempts = 0, answered_message_id = excluded.answered_message_id,
      answered_created_at = excluded.answered_created_at, touched_at = excluded.touched_at,
      reply_text = NULL, reply_tool_calls = NULL, reply_message_id = NULL, reply_created_at = NULL,
      ${NOTHING_BEGUN}`);
  const settle = database.prepare(`
    INSERT INTO notification (id, answered_message_id, answered_created_at, touched_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET answered_message_id = excluded.answered_message_id,
      answered_created_at = excluded.answered_created_at, touched_at = excluded.touched_at`);
  const remove = database.prepare('DELETE FROM notification WHERE id = ?');
  const selectIds = database.prepare('SELECT id FROM notification');

  return {
    read: (id) => {
      const row = select.get(id);
      return row === undefined ? null : entryOf(row);
    },
    unfinished: () => v.parse(idRows, selectIds.all()).map(({ id }) => id),
    // `get` stops at the row and swallows the error of the commit after it; `all` goes on to the end.
    beginAttempt: (id) => v.parse(attemptsRow, count.all(id, now())[0]).attempts,
    refundAttempt: (id) => void refund.run(id),
    saveReply: (id, { text, toolCalls }, { messageId, createdAt }) =>
      void keep.run(id, text, toolCalls, messageId, createdAt, now()),
    startOver: (id) => void startOver.run(id),
    beginPost: (id, after) => {
      const { boot, ms } = thisMoment();
      begin.run(id, boot, ms, after, now());
    },
    markPosted: (id, { messageId, createdAt }) => void post.run(id, messageId, createdAt, now()),
    markSettled: (id, { messageId, createdAt }) => void settle.run(id, messageId, createdAt, now()),
    forget: (id) => void remove.run(id),
  };
}

const NOTHING_BEGUN = 'begun_boot = NULL, begun_ms = NULL, begun_after = NULL';

/** Rows of notifications that somebody else marked delivered are never forgotten by name. */
const MAX_AGE_MS = 30 * 24 * 3_600_000;

export function forgetOld(database: DatabaseSync, now: number): void {
  database.prepare('DELETE FROM notification WHERE touched_at < ?').run(now - MAX_AGE_MS);
}

const idRows = v.array(v.object({ id: v.string() }));

const attemptsRow = v.object({ attempts: v.number() });

const notificationRow = v.object({
  attempts: v.number(),
  posts: v.number(),
  replyText: v.nullable(v.string()),
  replyToolCalls: v.nullable(v.number()),
  replyMessageId: v.nullable(v.string()),
  replyCreatedAt: v.nullable(v.number()),
  answeredMessageId: v.nullable(v.string()),
  answeredCreatedAt: v.nullable(v.number()),
  begunBoot: v.nullable(v.string()),
  begunMs: v.nullable(v.number()),
  begunAfter: v.nullable(v.string()),
});

function entryOf(found: unknown): JournalEntry {
  const row = v.parse(notificationRow, found);
  const { attempts, posts, replyText, replyToolCalls, replyMessageId, replyCreatedAt } = row;
  const { answeredMessageId, answeredCreatedAt, begunBoot, begunMs, begunAfter } = row;
  return {
    attempts,
    posts,
    reply:
      replyText === null || replyToolCalls === null || replyCreatedAt === null
        ? null
        : {
            text: replyText,
            toolCalls: replyToolCalls,
            version: { messageId: replyMessageId, createdAt: replyCreatedAt },
          },
    answered:
      answeredCreatedAt === null ? null : { messageId: answeredMessageId, createdAt: answeredCreatedAt },
    begun:
      begunBoot === null || begunMs === null
        ? null
        : { at: { boot: begunBoot, ms: begunMs }, after: begunAfter },
  };
}
