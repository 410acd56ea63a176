import type { ValidatorJSON } from 'convex/values';

/** What schema.ts says of one table. */
export interface TableSchema {
  name: string;
  /** What its documents must be, without `_id` and `_creationTime`; null for anything. */
  document: ValidatorJSON | null;
  indexes: readonly { name: string; fields: readonly string[] }[];
}

/** The table of scheduled functions, as `ctx.db.system` offers it; the indexes are the scheduler's own. */
export const SCHEDULED = '_scheduled_functions';

const SYSTEM_TABLES: readonly TableSchema[] = [
  {
    name: SCHEDULED,
    document: null,
    indexes: [
      { name: 'by_due', fields: ['state.kind', 'scheduledTime'] },
      { name: 'by_completion', fields: ['completedTime'] },
    ],
  },
  // Nothing can be stored, but ids of it are checked.
  { name: '_storage', document: null, indexes: [] },
];

interface ExportedTable {
  tableName: string;
  indexes: { indexDescriptor: string; fields: string[] }[];
  documentType: ValidatorJSON;
  [kind: string]: unknown;
}

const UNSUPPORTED = {
  searchIndexes: 'search indexes',
  stagedSearchIndexes: 'search indexes',
  vectorIndexes: 'vector indexes',
  stagedVectorIndexes: 'vector indexes',
  stagedDbIndexes: 'staged indexes',
} as const;

/**
 * Reads what `defineSchema` made.
 * @throws Error when it is no schema, or needs what this Mission Control does not have
 */
export function readSchema(definition: unknown): TableSchema[] {
  const { tables, schemaValidation } = exported(definition);
  const own = tables.map((table): TableSchema => {
    for (const [key, feature] of Object.entries(UNSUPPORTED)) {
      const found = table[key];
      if (Array.isArray(found) && found.length > 0) {
        throw new Error(`Table ${table.tableName} has ${feature}. ${ONLY_CONVEX}`);
      }
    }
    return {
      name: table.tableName,
      document: schemaValidation ? table.documentType : null,
      indexes: table.indexes.map(({ indexDescriptor: name, fields }) => ({ name, fields })),
    };
  });
  return [...SYSTEM_TABLES, ...own];
}

const ONLY_CONVEX = 'The local Mission Control does not have them: only a Convex deployment does.';

function exported(definition: unknown): { tables: ExportedTable[]; schemaValidation: boolean } {
  if (typeof definition === 'object' && definition !== null && 'export' in definition) {
    const { export: toText } = definition;
    if (typeof toText === 'function') {
      return JSON.parse(String(Reflect.apply(toText, definition, []))) as ReturnType<typeof exported>;
    }
  }
  throw new Error('schema.ts has no default export made by defineSchema().');
}
