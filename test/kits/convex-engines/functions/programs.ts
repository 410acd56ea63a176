/** Runs programs of reads and writes, and gives what they saw without ids and times, which differ between engines. */
import { internalMutationGeneric, makeFunctionReference, mutationGeneric, queryGeneric } from 'convex/server';
import type { GenericDatabaseReader, GenericDataModel, GenericMutationCtx } from 'convex/server';
import { ConvexError, convexToJson, v } from 'convex/values';
import type { GenericId, Value } from 'convex/values';

/** A value, or none: what is missing is below everything in an index. */
export type Maybe = { value: Value } | null;

export type Bound = { op: 'gt' | 'gte' | 'lt' | 'lte'; to: Maybe } | null;

export type Reading = {
  index: keyof typeof FIELDS;
  equals: Maybe[];
  lower: Bound;
  upper: Bound;
  order: 'asc' | 'desc';
  /** null: all. */
  take: number | null;
  /** Compares the field `b`. */
  filter: { op: 'eq' | 'neq'; to: Value } | null;
};

export type Step =
  | { do: 'insert'; label: number; fields: Record<string, Value> }
  | { do: 'patch'; label: number; fields: Record<string, Value>; drop: string[] }
  | { do: 'replace'; label: number; fields: Record<string, Value> }
  | { do: 'remove'; label: number }
  | { do: 'read'; reading: Reading }
  | { do: 'nested'; steps: Step[]; fails: boolean };

export const FIELDS = {
  by_creation_time: ['_creationTime'],
  by_label: ['label'],
  by_a: ['a'],
  by_a_b: ['a', 'b'],
  by_inner: ['inner.c', 'label'],
};

type Reader = GenericDatabaseReader<GenericDataModel>;
type Context = GenericMutationCtx<GenericDataModel>;
type Range = Record<'eq' | 'gt' | 'gte' | 'lt' | 'lte', (field: string, value: Value | undefined) => Range>;

function start(db: Reader, { index, equals, lower, upper, order, filter }: Reading) {
  const fields = FIELDS[index];
  const rows = db
    .query('things')
    .withIndex(index, (q) => {
      let range = q as unknown as Range;
      for (const [at, one] of equals.entries()) range = range.eq(fields[at] ?? '', one?.value);
      const field = fields[equals.length] ?? '';
      for (const bound of [lower, upper]) if (bound) range = range[bound.op](field, bound.to?.value);
      return range as never;
    })
    .order(order);
  return filter ? rows.filter((q) => q[filter.op](q.field('b'), filter.to)) : rows;
}

const bare = (rows: Record<string, Value>[]): Value =>
  rows.map(({ _id, _creationTime, ...fields }) => fields);

async function idOf(db: Reader, label: number): Promise<GenericId<'things'> | null> {
  const [row] = await db
    .query('things')
    .withIndex('by_label', (q) => q.eq('label', label))
    .take(1);
  return row ? (row._id as GenericId<'things'>) : null;
}

async function perform(ctx: Context, step: Step): Promise<Value> {
  const { db } = ctx;
  if (step.do === 'read') {
    const rows = start(db, step.reading);
    return bare(await (step.reading.take === null ? rows.collect() : rows.take(step.reading.take)));
  }
  if (step.do === 'nested') {
    try {
      return await ctx.runMutation(nested, { steps: step.steps, fails: step.fails });
    } catch (error) {
      return error instanceof ConvexError ? (error.data as Value) : 'another error';
    }
  }
  if (step.do === 'insert') {
    await db.insert('things', { label: step.label, ...step.fields });
    return null;
  }
  const id = await idOf(db, step.label);
  if (id === null) return 'missing';
  if (step.do === 'remove') await db.delete('things', id);
  else if (step.do === 'replace') await db.replace('things', id, { label: step.label, ...step.fields });
  else {
    const dropped = Object.fromEntries(step.drop.map((name) => [name, undefined]));
    await db.patch('things', id, { ...step.fields, ...dropped });
  }
  return null;
}

async function runAll(ctx: Context, { steps, fails }: { steps: Step[]; fails: boolean }): Promise<Value[]> {
  const seen: Value[] = [];
  for (const step of steps) seen.push(await perform(ctx, step));
  // As text: convex-test loses bytes in the data of an error that crosses functions.
  if (fails) throw new ConvexError(JSON.stringify(convexToJson(seen)));
  return seen;
}

const args = { steps: v.array(v.any()), fails: v.boolean() };

export const run = mutationGeneric({ args, handler: runAll });
export const runInside = internalMutationGeneric({ args, handler: runAll });
const nested = makeFunctionReference<'mutation', { steps: Step[]; fails: boolean }, Value[]>(
  'programs:runInside',
);

export const readOne = queryGeneric({
  args: { reading: v.any() },
  handler: async ({ db }: { db: Reader }, { reading }: { reading: Reading }) =>
    bare(await start(db, reading).collect()),
});

export const page = queryGeneric({
  args: { reading: v.any(), cursor: v.union(v.string(), v.null()), numItems: v.number() },
  handler: async (
    { db }: { db: Reader },
    { reading, cursor, numItems }: { reading: Reading; cursor: string | null; numItems: number },
  ) => {
    const { page: rows, isDone, continueCursor } = await start(db, reading).paginate({ cursor, numItems });
    return { rows: bare(rows), isDone, continueCursor };
  },
});
