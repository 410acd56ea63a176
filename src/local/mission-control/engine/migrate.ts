/** Brings a database file to the schema it is opened with, without touching a document. */
import type { DatabaseSync } from 'node:sqlite';
import { tableNumberOf } from './ids.ts';
import { type TableSchema } from './schema.ts';
import { keyOf, parseDocument, type Index, type Table } from './tables.ts';
import { findFlaw } from './validate.ts';
import { withoutSystemFields, type Document } from './values.ts';

/** Convex gives the tables of an app numbers from here on. */
const FIRST_TABLE_NUMBER = 10_001;
const MOST_NAMED = 10;

/** What is there already: a table that the schema does not have is kept as it is. */
const ANYTHING = { document: null, indexes: [] };

interface StoredTable {
  number: number;
  name: string;
  validator: string | null;
}

/**
 * Checks the documents of tables whose validator is another than last time, and builds the indexes that are new.
 * @returns the tables with their indexes
 * @throws Error that names what does not fit; then nothing was changed
 */
export function adoptSchema(
  database: DatabaseSync,
  schema: readonly TableSchema[],
): ReadonlyMap<string, Table> {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const [at, { name }] of schema.entries()) addTable(database, name, at);
    const stored = database
      .prepare('SELECT number, name, validator FROM tables')
      .all() as unknown as StoredTable[];
    const names = new Map(stored.map(({ number, name }) => [number, name]));
    checkDocuments(database, schema, stored, (id) => names.get(tableNumberOf(id) ?? 0) ?? null);
    const tables = stored.map(({ number, name }): Table => {
      const { document, indexes } = schema.find((table) => table.name === name) ?? ANYTHING;
      return { number, name, document, indexes: adoptIndexes(database, number, indexes) };
    });
    database.exec('COMMIT');
    return new Map(tables.map((table) => [table.name, table]));
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function addTable(database: DatabaseSync, name: string, at: number): void {
  if (database.prepare('SELECT 1 FROM tables WHERE name = ?').get(name)) return;
  const { top } = database.prepare('SELECT max(number) AS top FROM tables').get() as { top: number | null };
  const number = name.startsWith('_') ? at + 1 : Math.max(FIRST_TABLE_NUMBER, (top ?? 0) + 1);
  database.prepare('INSERT INTO tables (number, name) VALUES (?, ?)').run(number, name);
}

function checkDocuments(
  database: DatabaseSync,
  schema: readonly TableSchema[],
  stored: readonly StoredTable[],
  tableOf: (id: string) => string | null,
): void {
  const flaws: string[] = [];
  for (const { name, document } of schema) {
    const table = stored.find((one) => one.name === name);
    const validator = JSON.stringify(document);
    if (!table || table.validator === validator) continue;
    for (const row of rowsOf(database, table.number)) {
      const flaw = document && findFlaw(document, withoutSystemFields(row.document), tableOf, '');
      if (flaw) flaws.push(`${name} ${row.document._id}: ${flaw().replaceAll('\n', ' ')}`);
    }
    database.prepare('UPDATE tables SET validator = ? WHERE number = ?').run(validator, table.number);
  }
  if (flaws.length === 0) return;
  const rest = flaws.length > MOST_NAMED ? `\n  and ${flaws.length - MOST_NAMED} more` : '';
  throw new Error(
    `${flaws.length} documents do not fit schema.ts; none was changed. Change schema.ts so that they fit, or go back to the version that wrote them.\n  ${flaws.slice(0, MOST_NAMED).join('\n  ')}${rest}`,
  );
}

function* rowsOf(database: DatabaseSync, table: number): Generator<{ number: number; document: Document }> {
  const rows = database.prepare('SELECT number, text FROM documents WHERE tbl = ?').iterate(table);
  for (const { number, text } of rows as Iterable<{ number: number; text: string }>) {
    yield { number, document: parseDocument(text) };
  }
}

function adoptIndexes(
  database: DatabaseSync,
  table: number,
  declared: TableSchema['indexes'],
): ReadonlyMap<string, Index> {
  const wanted = [
    { name: 'by_id', fields: ['_id'] },
    { name: 'by_creation_time', fields: ['_creationTime', '_id'] },
    ...declared.map(({ name, fields }) => ({ name, fields: [...fields, '_creationTime', '_id'] })),
  ];
  const indexes = wanted.map(({ name, fields }): Index => {
    const text = JSON.stringify(fields);
    const found = database
      .prepare('SELECT number FROM indexes WHERE tbl = ? AND name = ? AND fields = ?')
      .get(table, name, text) as { number: number } | undefined;
    return found ? { number: found.number, name, fields } : buildIndex(database, table, name, fields);
  });
  dropAllBut(database, table, indexes);
  return new Map(indexes.map((index) => [index.name, index]));
}

function buildIndex(database: DatabaseSync, table: number, name: string, fields: readonly string[]): Index {
  // If an index of that name has other fields, a new one is made under another number.
  const { lastInsertRowid } = database
    .prepare('INSERT INTO indexes (tbl, name, fields) VALUES (?, ?, ?)')
    .run(table, name, JSON.stringify(fields));
  const index = { number: Number(lastInsertRowid), name, fields };
  const add = database.prepare('INSERT INTO entries (idx, key, document) VALUES (?, ?, ?)');
  for (const { number, document } of rowsOf(database, table)) {
    add.run(index.number, keyOf(index, document), number);
  }
  return index;
}

function dropAllBut(database: DatabaseSync, table: number, kept: readonly Index[]): void {
  const all = database.prepare('SELECT number FROM indexes WHERE tbl = ?').all(table) as { number: number }[];
  for (const { number } of all) {
    if (kept.some((index) => index.number === number)) continue;
    database.prepare('DELETE FROM entries WHERE idx = ?').run(number);
    database.prepare('DELETE FROM indexes WHERE number = ?').run(number);
  }
}
