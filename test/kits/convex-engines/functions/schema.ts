/** Tables for the suite that compares engines: values of every kind, in indexes of every shape. */
import { defineSchema, defineTable } from 'convex/server';
import { v } from 'convex/values';

export default defineSchema({
  things: defineTable({
    label: v.number(),
    a: v.optional(v.any()),
    b: v.optional(v.union(v.number(), v.string(), v.null())),
    inner: v.optional(v.object({ c: v.optional(v.any()) })),
  })
    .index('by_label', ['label'])
    .index('by_a', ['a'])
    .index('by_a_b', ['a', 'b'])
    .index('by_inner', ['inner.c', 'label']),

  typed: defineTable({
    name: v.string(),
    count: v.int64(),
    data: v.bytes(),
    kind: v.union(v.literal('x'), v.literal('y')),
    thing: v.optional(v.id('things')),
    tags: v.record(v.string(), v.boolean()),
  }).index('by_name', ['name']),
});
