/** What Convex checks and hands over: arguments, returns, documents, errors, identity, schedules. */
import {
  actionGeneric,
  internalMutationGeneric,
  makeFunctionReference,
  mutationGeneric,
  queryGeneric,
} from 'convex/server';
import type { GenericDataModel, GenericMutationCtx, GenericQueryCtx } from 'convex/server';
import { ConvexError, v } from 'convex/values';
import type { GenericId } from 'convex/values';

type Read = GenericQueryCtx<GenericDataModel>;
type Write = GenericMutationCtx<GenericDataModel>;

export const echo = queryGeneric({
  args: { value: v.any() },
  handler: (_ctx, { value }: { value: unknown }) => value,
});

export const strict = queryGeneric({
  args: { n: v.number(), maybe: v.optional(v.string()), thing: v.optional(v.id('things')) },
  returns: v.object({ n: v.number() }),
  handler: (_ctx, { n }) => ({ n }),
});

export const breaksItsWord = queryGeneric({
  args: {},
  returns: v.string(),
  handler: () => 1 as unknown as string,
});

export const addTyped = mutationGeneric({
  args: { document: v.any() },
  returns: v.id('typed'),
  handler: async ({ db }, { document }: { document: Record<string, never> }) =>
    await db.insert('typed', document),
});

export const getTyped = queryGeneric({
  args: { id: v.id('typed') },
  handler: async ({ db }: Read, { id }) => await db.get('typed', id),
});

export const addThing = mutationGeneric({
  args: { label: v.number() },
  returns: v.id('things'),
  handler: async ({ db }, { label }) => await db.insert('things', { label }),
});

export const hidden = internalMutationGeneric({ args: {}, handler: () => 'seen' });

export const refuse = mutationGeneric({
  args: { data: v.any() },
  handler: async ({ db }, { data }: { data: string }) => {
    await db.insert('things', { label: -1 });
    throw new ConvexError(data);
  },
});

/** An action that calls a mutation, which fails, and hands the data of its error on. */
export const passOn = actionGeneric({
  args: { data: v.any() },
  handler: async (ctx, { data }: { data: string }) => {
    try {
      return (await ctx.runMutation(makeFunctionReference<'mutation'>('values:refuse'), { data })) as null;
    } catch (error) {
      return error instanceof ConvexError ? { caught: error.data as string } : 'another error';
    }
  },
});

export const countThings = queryGeneric({
  args: { label: v.number() },
  handler: async ({ db }, { label }) => {
    const rows = await db
      .query('things')
      .withIndex('by_label', (q) => q.eq('label', label))
      .collect();
    return rows.length;
  },
});

const addLater = makeFunctionReference<'mutation', { label: number }>('values:addThing');

export const schedule = mutationGeneric({
  args: { label: v.number(), inMs: v.number(), fails: v.boolean() },
  handler: async ({ scheduler }, { label, inMs, fails }) => {
    const id = await scheduler.runAfter(inMs, addLater, { label });
    if (fails) throw new ConvexError('as told');
    return id;
  },
});

export const cancel = mutationGeneric({
  args: { id: v.id('_scheduled_functions') },
  handler: async ({ scheduler }, { id }) => {
    await scheduler.cancel(id);
  },
});

export const jobState = queryGeneric({
  args: { id: v.id('_scheduled_functions') },
  handler: async ({ db }, { id }) => {
    const job = (await db.system.get('_scheduled_functions', id)) as { state: { kind: string } } | null;
    return job && job.state.kind;
  },
});

/** Two at once, each adding one to the same row: they must not see the same number. */
export const increment = mutationGeneric({
  args: { label: v.number() },
  handler: async ({ db }: Write, { label }) => {
    const [row] = await db
      .query('things')
      .withIndex('by_label', (q) => q.eq('label', label))
      .take(1);
    const count = row ? Number(row.b) + 1 : 1;
    if (row) await db.patch('things', row._id as GenericId<'things'>, { b: count });
    else await db.insert('things', { label, b: count });
    return count;
  },
});

export const normalize = queryGeneric({
  args: { table: v.string(), id: v.string() },
  handler: ({ db }, { table, id }) => db.normalizeId(table, id) !== null,
});

export const whoAmI = queryGeneric({
  args: {},
  handler: async ({ auth }) => (await auth.getUserIdentity()) as null,
});
