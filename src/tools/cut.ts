import { cut } from '../gateway/text.ts';

/** A text is never cut below this: ids, names and titles stay whole. */
const LEAST_TEXT = 200;

/** What can stand in a JSON text. */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Lists that have their oldest entries first. Those are left out first. */
const OLDEST_FIRST = new Set(['thread', 'messages']);

/**
 * Shortens the data of an answer until its JSON text has at most `max` characters. Long texts are cut first, the
 * longest ones most. If that is not enough, entries of the longest list are left out. `cut` then says so.
 */
export function fitData(data: Record<string, unknown>, max: number): Record<string, unknown> {
  if (sizeOf(data) <= max) return data;
  const plain = JSON.parse(JSON.stringify(data)) as { [key: string]: Json };
  const room = max - NOTICE_ROOM;
  const limit = largest(LEAST_TEXT, longestText(plain), (length) => sizeOf(shorten(plain, length)) <= room);
  const shortened = shorten(plain, limit ?? LEAST_TEXT) as { [key: string]: Json };
  if (limit !== null) return { ...shortened, cut: textNotice(limit) };
  const { fitted, left } = leaveOut(shortened, room);
  return {
    ...fitted,
    cut: `${textNotice(LEAST_TEXT)} ${left} entries were left out: ask with a smaller limit.`,
  };
}

const NOTICE_ROOM = 300;

const textNotice = (length: number): string =>
  `Texts were cut to ${length} characters; ask for one thing at a time, or with a smaller limit, to read more.`;

const sizeOf = (value: unknown): number => JSON.stringify(value).length;

function longestText(value: Json): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 0;
  return Math.max(0, ...Object.values(value).map(longestText));
}

function shorten(value: Json, length: number): Json {
  if (typeof value === 'string') return cut(value, length);
  if (Array.isArray(value)) return value.map((item) => shorten(item, length));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shorten(item, length)]));
}

/** Takes entries from the longest list until the rest fits; @returns how many were left out */
function leaveOut(
  data: { [key: string]: Json },
  room: number,
): { fitted: { [key: string]: Json }; left: number } {
  const lists = Object.entries(data).filter((entry): entry is [string, Json[]] => Array.isArray(entry[1]));
  const [key, list] = lists.sort((a, b) => sizeOf(b[1]) - sizeOf(a[1]))[0] ?? [];
  if (key === undefined || list === undefined || list.length === 0) return { fitted: data, left: 0 };
  const keeping = (count: number) => ({
    ...data,
    [key]: OLDEST_FIRST.has(key) ? list.slice(list.length - count) : list.slice(0, count),
  });
  const count = largest(0, list.length, (many) => sizeOf(keeping(many)) <= room) ?? 0;
  const rest = keeping(count);
  const left = list.length - count;
  if (sizeOf(rest) <= room) return { fitted: rest, left };
  const further = leaveOut({ ...rest, [key]: [] }, room);
  return { ...further, left: left + further.left };
}

/** The largest whole number of the range that fits, by halving; null when none does. */
function largest(from: number, to: number, fits: (value: number) => boolean): number | null {
  if (!fits(from)) return null;
  let [low, high] = [from, Math.max(from, to)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
