/** Reading rows of an index one after another, and noting exactly what was read. */
import { evaluate, rangeOf, type Query } from './expressions.ts';
import { isBefore } from './keys.ts';
import { spend, type Usage } from './limits.ts';
import type { Row, Store } from './store.ts';
import { parseDocument, type Range, type Table } from './tables.ts';

/** What a function has read. A commit that touches none of it cannot change the function's result. */
export interface Reader {
  store: Store;
  usage: Usage;
  reads: Range[];
}

const FIRST_PAGE = 16;
const LARGEST_PAGE = 256;

export type Order = 'asc' | 'desc';

/** @throws Error when there is no such table */
export function requireTable(store: Store, name: string): Table {
  const table = store.tables.get(name);
  if (table) return table;
  throw new Error(`Table '${name}' is not declared in schema.ts.`);
}

/** Where a query reads, and in which order. @throws Error when it asks for what is not there */
export function resolve(store: Store, { source }: Query): { range: Range; order: Order } {
  if (source.type === 'Search') {
    throw new Error(
      'Search indexes are not there in the local Mission Control: only a Convex deployment has them.',
    );
  }
  const order = source.order ?? 'asc';
  if (source.type === 'FullTableScan') {
    return { range: rangeOf(requireTable(store, source.tableName), 'by_creation_time', []), order };
  }
  const [tableName = '', indexName = ''] = source.indexName.split('.');
  return { range: rangeOf(requireTable(store, tableName), indexName, source.range), order };
}

/**
 * The rows of a range. They are fetched in pages, and count as read when they are taken.
 * @param most no more rows than these will be taken
 */
export function* readRows(reader: Reader, range: Range, order: Order, most = Infinity): Generator<Row> {
  const { store, usage, reads } = reader;
  spend(usage, 'ranges', 1);
  const { index } = range;
  let { from, to } = range;
  // Grows with what is taken.
  const read: Range = order === 'asc' ? { index, from, to: from } : { index, from: to, to };
  reads.push(read);
  let left = most;
  for (let size = Math.min(most, FIRST_PAGE); left > 0; size = Math.min(left, size * 2, LARGEST_PAGE)) {
    const rows = isBefore(from, to) ? store.scan({ index, from, to }, order, size) : [];
    for (const row of rows) {
      const after = Buffer.concat([row.key, Uint8Array.of(0)]);
      if (order === 'asc') from = read.to = after;
      else to = read.from = row.key;
      spend(usage, 'documentsRead', 1);
      spend(usage, 'bytesRead', row.text.length);
      yield row;
    }
    left -= rows.length;
    if (rows.length < size) {
      Object.assign(read, order === 'asc' ? { to: range.to } : { from: range.from });
      return;
    }
  }
}

/** The texts of a query's documents, in order. */
export function* runQuery(reader: Reader, query: Query): Generator<string> {
  const { range, order } = resolve(reader.store, query);
  const limits = query.operators.map((operator) => ('limit' in operator ? operator.limit : Infinity));
  const hasFilter = query.operators.some((operator) => 'filter' in operator);
  const most = Math.min(...limits);
  if (most <= 0) return;
  let given = 0;
  for (const row of readRows(reader, range, order, hasFilter ? Infinity : most)) {
    if (hasFilter && !passes(query, row.text)) continue;
    yield row.text;
    if (++given >= most) return;
  }
}

/** Whether a document passes all filters of a query. */
export function passes({ operators }: Query, text: string): boolean {
  const document = parseDocument(text);
  return operators.every(
    (operator) => !('filter' in operator) || evaluate(operator.filter, document) === true,
  );
}
