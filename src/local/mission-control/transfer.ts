/** Data in and out: a copy of the database, and the ZIP of JSON lines that `npx convex import` takes. */
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import type { JSONValue } from 'convex/values';
import { jsonToConvex } from 'convex/values';
import { openFile } from './engine/disk.ts';
import { tableNumberOf } from './engine/ids.ts';
import type { TableSchema } from './engine/schema.ts';
import { openStore, type Store } from './engine/store.ts';
import { validate } from './engine/validate.ts';
import { withoutSystemFields, type Document } from './engine/values.ts';

/** The whole database as the bytes of a database file. */
export const snapshotFile = ({ database }: Store): Uint8Array => database.serialize();

/** All tables of the app: `TABLE/documents.jsonl` each, and their numbers, which are part of every id. */
export function exportZip({ database, tables }: Store): Uint8Array {
  const own = [...tables.values()].filter(({ name }) => !name.startsWith('_'));
  const select = database.prepare('SELECT text FROM documents WHERE tbl = ? ORDER BY number');
  const lines = (texts: string[]): Uint8Array => strToU8(texts.map((text) => `${text}\n`).join(''));
  const files = own.map(({ name, number }): [string, Uint8Array] => {
    const rows = select.all(number) as { text: string }[];
    return [`${name}/documents.jsonl`, lines(rows.map(({ text }) => text))];
  });
  const numbers = lines(own.map(({ name, number }) => JSON.stringify({ name, id: number })));
  return zipSync(Object.fromEntries([['_tables/documents.jsonl', numbers], ...files]), { level: 6 });
}

/**
 * Makes a database of an export, with the same ids and times.
 * @param path where there is no file yet
 * @throws Error that names the first document that cannot be taken; the file is of no use then
 */
export function importZip(path: string, zip: Uint8Array, schema: readonly TableSchema[]): void {
  const files = readZip(zip);
  const store = openNumbered(path, files, schema);
  const tableOf = (id: string): string | null => store.tableOf(id)?.name ?? null;
  try {
    store.database.exec('BEGIN IMMEDIATE');
    for (const [name, text] of files) {
      const table = name === '_tables' ? undefined : store.tables.get(name);
      if (!table) continue;
      for (const [at, line] of linesOf(text)) {
        const where = `${name}/documents.jsonl, line ${at}`;
        const document = readDocument(line, where);
        if (tableOf(document._id) !== name) {
          throw new Error(`${where}: the id ${document._id} is not one of this table`);
        }
        if (table.document) validate(table.document, withoutSystemFields(document), tableOf, where);
        store.insert(table, document);
      }
    }
    store.database.exec('COMMIT');
  } finally {
    store.database.close();
  }
}

function readZip(zip: Uint8Array): Map<string, string> {
  const files = new Map<string, string>();
  for (const [path, bytes] of Object.entries(unzipSync(zip))) {
    const name = /([^/]+)\/documents\.jsonl$/.exec(path)?.[1];
    if (name !== undefined) files.set(name, strFromU8(bytes));
  }
  return files;
}

function openNumbered(path: string, files: Map<string, string>, schema: readonly TableSchema[]): Store {
  const database = openFile(path);
  const add = database.prepare('INSERT INTO tables (number, name) VALUES (?, ?)');
  for (const [, line] of linesOf(files.get('_tables') ?? '')) {
    const { name, id } = JSON.parse(line) as { name: string; id: number };
    if (!name.startsWith('_')) add.run(id, name);
  }
  database.close();
  for (const name of files.keys()) {
    if (!name.startsWith('_') && !schema.some((table) => table.name === name)) {
      throw new Error(`The export has the table ${name}, which schema.ts does not have.`);
    }
  }
  return openStore(path, schema);
}

function* linesOf(text: string): Generator<[number, string]> {
  for (const [at, line] of text.split('\n').entries()) if (line.trim() !== '') yield [at + 1, line];
}

function readDocument(line: string, where: string): Document {
  try {
    const document = jsonToConvex(JSON.parse(line) as JSONValue) as Document;
    if (typeof document._creationTime === 'number' && tableNumberOf(document._id) !== null) return document;
  } catch (error) {
    throw new Error(`${where} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  throw new Error(`${where} has no _id or no _creationTime.`);
}
