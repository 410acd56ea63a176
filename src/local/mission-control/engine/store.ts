/** Documents and their index entries in one SQLite file. Everything is read by an index, a document by its id too. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openFile } from './disk.ts';
import { tableNumberOf } from './ids.ts';
import { adoptSchema } from './migrate.ts';
import type { TableSchema } from './schema.ts';
import { parseDocument, pointOf, textOf, touchesOf, type Range, type Table, type Touch } from './tables.ts';
import type { Document } from './values.ts';

/** A document as it is stored. */
export interface Row {
  number: number;
  key: Uint8Array;
  /** The document in Convex's JSON encoding. */
  text: string;
}

export interface Store {
  readonly database: DatabaseSync;
  readonly tables: ReadonlyMap<string, Table>;
  tableOf(id: string): Table | null;
  get(table: Table, id: string): Row | null;
  scan(range: Range, order: 'asc' | 'desc', limit: number): Row[];
  insert(table: Table, document: Document): Touch[];
  /** @param after null removes it */
  change(table: Table, row: Row, after: Document | null): Touch[];
}

/** @throws Error when the file cannot be used, or holds what does not fit the schema */
export function openStore(path: string, schema: readonly TableSchema[]): Store {
  const database = openFile(path);
  try {
    return createStore(database, adoptSchema(database, schema));
  } catch (error) {
    database.close();
    throw error;
  }
}

function createStore(database: DatabaseSync, tables: ReadonlyMap<string, Table>): Store {
  const byNumber = new Map(Array.from(tables.values(), (table) => [table.number, table]));
  const addDocument = database.prepare('INSERT INTO documents (tbl, text) VALUES (?, ?)');
  const setDocument = database.prepare('UPDATE documents SET text = ? WHERE number = ?');
  const dropDocument = database.prepare('DELETE FROM documents WHERE number = ?');
  const addEntry = database.prepare('INSERT INTO entries (idx, key, document) VALUES (?, ?, ?)');
  const dropEntry = database.prepare('DELETE FROM entries WHERE idx = ? AND key = ?');
  const scans = { asc: prepareScan(database, 'ASC'), desc: prepareScan(database, 'DESC') };

  const scan = ({ index, from, to }: Range, order: 'asc' | 'desc', limit: number): Row[] =>
    scans[order].all(index, from, to, limit) as unknown as Row[];

  return {
    database,
    tables,
    tableOf: remembering((id) => byNumber.get(tableNumberOf(id) ?? 0) ?? null),
    get: (table, id) => scan(pointOf(table, id), 'asc', 1)[0] ?? null,
    scan,
    insert(table, document) {
      const { lastInsertRowid } = addDocument.run(table.number, textOf(document));
      const touches = touchesOf(table, document);
      for (const { index, key } of touches) addEntry.run(index, key, lastInsertRowid);
      return touches;
    },
    change(table, row, after) {
      const before = touchesOf(table, parseDocument(row.text));
      const next = after === null ? [] : touchesOf(table, after);
      if (after === null) dropDocument.run(row.number);
      else setDocument.run(textOf(after), row.number);
      for (const [at, { index, key }] of before.entries()) {
        const moved = next[at];
        if (moved && Buffer.compare(moved.key, key) === 0) continue;
        dropEntry.run(index, key);
        if (moved) addEntry.run(index, moved.key, row.number);
      }
      return [...before, ...next];
    },
  };
}

/** The same ids are checked again and again, and reading one takes a microsecond. */
const MOST_REMEMBERED = 10_000;

function remembering<T>(look: (id: string) => T): (id: string) => T {
  const known = new Map<string, T>();
  return (id) => {
    const before = known.get(id);
    if (before !== undefined) return before;
    if (known.size >= MOST_REMEMBERED) known.clear();
    const found = look(id);
    known.set(id, found);
    return found;
  };
}

const prepareScan = (database: DatabaseSync, order: 'ASC' | 'DESC'): StatementSync =>
  database.prepare(
    `SELECT number, key, text FROM entries JOIN documents ON number = document
     WHERE idx = ? AND key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`,
  );
