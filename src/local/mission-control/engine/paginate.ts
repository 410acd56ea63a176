import { createHash } from 'node:crypto';
import { passes, readRows, resolve, type Order, type Reader } from './cursor.ts';
import type { Query } from './expressions.ts';
import { isBefore } from './keys.ts';
import type { Range } from './tables.ts';

export interface PageRequest {
  query: Query;
  /** null: from the start. */
  cursor: string | null;
  /** The page ends here, however long that makes it. */
  endCursor: string | null;
  pageSize: number;
  maximumRowsRead?: number | null;
  maximumBytesRead?: number | null;
}

interface Page {
  /** The documents, as JSON texts. */
  page: string[];
  isDone: boolean;
  continueCursor: string;
  splitCursor: string | null;
  pageStatus: 'SplitRequired' | 'SplitRecommended' | null;
}

/** @throws Error when a cursor is not one of this query */
export function readPage(reader: Reader, request: PageRequest): Page {
  const { query, pageSize, endCursor } = request;
  const cursors = cursorsOf(query);
  const { range, order } = resolve(reader.store, query);
  const asked = narrow(range, order, cursors.read(request.cursor), cursors.read(endCursor));
  const page: string[] = [];
  const keys: Uint8Array[] = [];
  let bytes = 0;
  let end: 'full' | 'limit' | 'range' = 'range';
  for (const { key, text } of readRows(reader, asked, order)) {
    if (endCursor === null && page.length >= pageSize) {
      end = 'full';
      break;
    }
    keys.push(key);
    bytes += text.length;
    if (passes(query, text)) page.push(text);
    if (
      keys.length >= (request.maximumRowsRead ?? Infinity) ||
      bytes >= (request.maximumBytesRead ?? Infinity)
    ) {
      end = 'limit';
      break;
    }
  }
  const isDone = end === 'range' && (endCursor === null || endCursor === cursors.end);
  const continueCursor =
    end === 'range' ? (endCursor ?? cursors.end) : cursors.write(keys.at(-1) ?? asked.from);
  const isLong = keys.length > pageSize + 1;
  const pageStatus = end === 'limit' ? 'SplitRequired' : isLong ? 'SplitRecommended' : null;
  const middle = keys[Math.floor((keys.length - 1) / 2)];
  const splitCursor = pageStatus !== null && middle && keys.length >= 2 ? cursors.write(middle) : null;
  return { page, isDone, continueCursor, splitCursor, pageStatus };
}

/** What is left of a range after one cursor and up to and with another. */
function narrow(
  range: Range,
  order: Order,
  start: Uint8Array | 'end' | null,
  end: Uint8Array | 'end' | null,
): Range {
  const { index, from, to } = range;
  if (start === 'end') return { index, from: to, to };
  const after = (key: Uint8Array): Uint8Array => Buffer.concat([key, Uint8Array.of(0)]);
  const last = end === 'end' ? null : end;
  if (order === 'asc') return { index, from: start ? after(start) : from, to: last ? after(last) : to };
  return { index, from: last && isBefore(from, last) ? last : from, to: start ?? to };
}

/** Cursors say where in the index a page ended, and for which query: another one's are refused. */
function cursorsOf(query: Query) {
  const name = createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 12);
  return {
    end: `${name}.end`,
    write: (key: Uint8Array): string => `${name}.${Buffer.from(key).toString('base64url')}`,
    read(cursor: string | null): Uint8Array | 'end' | null {
      if (cursor === null) return null;
      const [of, at = ''] = cursor.split('.');
      if (of !== name || at === '') {
        throw new Error(
          'InvalidCursor: the cursor is not one that this query gave. Start again without a cursor.',
        );
      }
      return at === 'end' ? 'end' : Buffer.from(at, 'base64url');
    },
  };
}
