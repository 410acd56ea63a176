/** What one query or mutation does to the documents. Everything it does is counted, and all of it is taken back together. */
import { convexToJson, jsonToConvex } from 'convex/values';
import type { JSONValue } from 'convex/values';
import { requireTable, type Reader } from './cursor.ts';
import { newId } from './ids.ts';
import { checkDocument, spend, unused, type Usage } from './limits.ts';
import type { Row, Store } from './store.ts';
import { parseDocument, pointOf, type Range, type Table, type Touch } from './tables.ts';
import { validate } from './validate.ts';
import { isFields, membersOf, withoutSystemFields, type Document, type Fields } from './values.ts';

export interface Transaction extends Reader {
  readonly usage: Usage;
  readonly reads: Range[];
  readonly touches: Touch[];
  /** @param tableName the table that it must be of; undefined for any */
  get(id: string, tableName?: string): string | null;
  insert(tableName: string, value: JSONValue): string;
  /** Fields that are `{"$undefined": null}` are removed. */
  patch(id: string, changes: JSONValue, tableName?: string): void;
  replace(id: string, value: JSONValue, tableName?: string): void;
  remove(id: string, tableName?: string): void;
}

/** @param nextCreationTime milliseconds, always more than before */
export function createTransaction(store: Store, nextCreationTime: () => number): Transaction {
  const usage = unused();
  const reads: Range[] = [];
  const touches: Touch[] = [];

  function find(id: string, tableName: string | undefined): { table: Table; row: Row | null } {
    const table = requireTableOf(store, id, tableName);
    const point = pointOf(table, id);
    reads.push(point);
    spend(usage, 'ranges', 1);
    const row = store.get(table, id);
    if (row) {
      spend(usage, 'documentsRead', 1);
      spend(usage, 'bytesRead', row.text.length);
    }
    return { table, row };
  }

  function check(table: Table, document: Document): Document {
    const size = checkDocument(document, convexToJson(document));
    spend(usage, 'documentsWritten', 1);
    spend(usage, 'bytesWritten', size);
    if (table.document) {
      const tableOf = (id: string): string | null => store.tableOf(id)?.name ?? null;
      const where = `Failed to insert or update a document in table "${table.name}" because it does not match the schema`;
      validate(table.document, withoutSystemFields(document), tableOf, where);
    }
    return document;
  }

  function change(
    verb: string,
    id: string,
    tableName: string | undefined,
    next: (old: Document) => Document | null,
  ) {
    const { table, row } = find(id, tableName);
    if (!row) throw new Error(`${verb} on nonexistent document ID ${id}`);
    const document = next(parseDocument(row.text));
    if (document === null) spend(usage, 'documentsWritten', 1);
    touches.push(...store.change(table, row, document && check(table, document)));
  }

  return {
    store,
    usage,
    reads,
    touches,
    get: (id, tableName) => find(id, tableName).row?.text ?? null,
    insert(tableName, value) {
      const table = requireTable(store, tableName);
      const fields = fieldsOf(value);
      requireNoSystemFields(fields);
      const created = nextCreationTime();
      const document = { ...fields, _id: newId(table.number, created), _creationTime: created };
      touches.push(...store.insert(table, check(table, document)));
      return document._id;
    },
    patch(id, changes, tableName) {
      change('Update', id, tableName, (old) => withSystemFields(old, merge(old, changes)));
    },
    replace(id, value, tableName) {
      change('Replace', id, tableName, (old) => withSystemFields(old, fieldsOf(value)));
    },
    remove(id, tableName) {
      change('Delete', id, tableName, () => null);
    },
  };
}

function requireTableOf(store: Store, id: string, tableName: string | undefined): Table {
  const table = store.tableOf(id);
  if (!table) throw new Error(`Invalid argument \`id\`, expected an ID but got '${id}'.`);
  if (tableName !== undefined && table.name !== tableName) {
    throw new Error(
      `Invalid argument \`id\`, expected ID in table '${tableName}' but got ID in table '${table.name}'.`,
    );
  }
  return table;
}

function fieldsOf(value: JSONValue): Fields {
  const fields = jsonToConvex(value);
  if (!isFields(fields)) throw new Error('A document must be an object.');
  return fields;
}

function requireNoSystemFields(fields: Fields): void {
  const name = Object.keys(fields).find((one) => one.startsWith('_'));
  if (name === undefined) return;
  throw new Error(`Field '${name}' starts with an underscore, which is only allowed for system fields.`);
}

function merge(old: Document, changes: JSONValue): Fields {
  const merged: Fields = { ...old };
  for (const [name, value] of membersOf(changes)) {
    if (isUndefined(value)) Reflect.deleteProperty(merged, name);
    else merged[name] = jsonToConvex(value);
  }
  return merged;
}

const isUndefined = (value: JSONValue): boolean =>
  typeof value === 'object' && value !== null && '$undefined' in value;

/** The new fields with the old id and creation time, which may be given as they are. */
function withSystemFields({ _id, _creationTime }: Document, fields: Fields): Document {
  const { _id: id = _id, _creationTime: created = _creationTime, ...rest } = fields;
  if (id !== _id || created !== _creationTime) {
    throw new Error(`The fields _id and _creationTime of ${_id} cannot be changed.`);
  }
  requireNoSystemFields(rest);
  return { ...rest, _id, _creationTime };
}
