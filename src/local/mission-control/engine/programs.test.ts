import type { Value } from 'convex/values';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { local, oracle } from '../../../../test/kits/convex-engines/engines.ts';
import {
  FIELDS,
  type Bound,
  type Maybe,
  type Reading,
  type Step,
} from '../../../../test/kits/convex-engines/functions/programs.ts';

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, true, false, 0, 1, -1, 0.5, Infinity, 1n, -1n, '', 'a', 'b', '\0', 'é'),
  fc.constantFrom<Value>([], [1], [1, 'a'], {}, { x: 1 }, { x: null, y: [2] }),
  fc.uint8Array({ maxLength: 2 }).map((bytes): Value => new Uint8Array(bytes).buffer),
);
const b = fc.constantFrom<Value>(null, 0, 1, 2, 'a', 'b');
const label = fc.nat(6);
const fields = fc.record(
  { a: value, b, inner: fc.record({ c: value }, { requiredKeys: [] }) },
  { requiredKeys: [] },
);
const maybe: fc.Arbitrary<Maybe> = fc.option(
  value.map((one) => ({ value: one })),
  { freq: 6 },
);

const bound = (...ops: NonNullable<Bound>['op'][]): fc.Arbitrary<Bound> =>
  fc.option(fc.record({ op: fc.constantFrom(...ops), to: maybe }));

const reading: fc.Arbitrary<Reading> = fc
  .constantFrom(...(['by_creation_time', 'by_label', 'by_a', 'by_a_b', 'by_inner'] as const))
  .chain((index) =>
    fc.nat(index === 'by_creation_time' ? 0 : FIELDS[index].length).chain((equals) =>
      fc.record<Reading>({
        index: fc.constant(index),
        equals: fc.array(maybe, { minLength: equals, maxLength: equals }),
        lower: equals < FIELDS[index].length ? bound('gt', 'gte') : fc.constant(null),
        upper: equals < FIELDS[index].length ? bound('lt', 'lte') : fc.constant(null),
        order: fc.constantFrom('asc', 'desc'),
        take: fc.option(fc.nat(4)),
        filter: fc.option(fc.record({ op: fc.constantFrom('eq' as const, 'neq' as const), to: b }), {
          freq: 2,
        }),
      }),
    ),
  );

const { step } = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    fc.record({ do: fc.constant('insert' as const), label, fields }),
    fc.record({ do: fc.constant('patch' as const), label, fields, drop: fc.subarray(['a', 'b', 'inner']) }),
    fc.record({ do: fc.constant('replace' as const), label, fields }),
    fc.record({ do: fc.constant('remove' as const), label }),
    fc.record({ do: fc.constant('read' as const), reading }),
    fc.record({
      do: fc.constant('nested' as const),
      steps: fc.array(tie('step'), { maxLength: 4 }),
      fails: fc.boolean(),
    }),
  ),
}));

const everything: Reading = {
  index: 'by_creation_time',
  equals: [],
  lower: null,
  upper: null,
  order: 'asc',
  take: null,
  filter: null,
};

type Outcome = { gave: Value } | { threw: unknown };

test('programs of reads and writes come out as on convex-test, also those that fail', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ steps: fc.array(step, { maxLength: 8 }), fails: fc.boolean() }), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.array(reading, { maxLength: 3 }),
      async (programs, readings) => {
        const engines = [oracle(), await local()] as const;
        const outcomes = await Promise.all(
          engines.map(async (engine) => {
            const seen: Outcome[] = [];
            for (const program of programs)
              seen.push(await outcomeOf(engine.call('mutation', 'programs:run', program)));
            for (const one of [...readings, everything]) {
              seen.push(await outcomeOf(engine.call('query', 'programs:readOne', { reading: one })));
            }
            return seen;
          }),
        );
        for (const engine of engines) engine.close();
        expect(outcomes[1]).toEqual(outcomes[0]);
      },
    ),
    { numRuns: 300 },
  );
});

async function outcomeOf(work: Promise<Value>): Promise<Outcome> {
  try {
    return { gave: await work };
  } catch (error) {
    return { threw: error instanceof Error && 'data' in error ? error.data : 'an error' };
  }
}

test('pages join to the whole, as on convex-test', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ do: fc.constant('insert' as const), label, fields }), { maxLength: 12 }),
      reading.map((one) => ({ ...one, take: null })),
      fc.integer({ min: 1, max: 5 }),
      async (steps, one, numItems) => {
        const engines = [oracle(), await local()] as const;
        const pages = await Promise.all(
          engines.map(async (engine) => {
            await engine.call('mutation', 'programs:run', { steps, fails: false });
            const seen: unknown[] = [];
            for (let cursor: string | null = null; ;) {
              const page = (await engine.call('query', 'programs:page', {
                reading: one,
                cursor,
                numItems,
              })) as {
                rows: Value;
                isDone: boolean;
                continueCursor: string;
              };
              seen.push(page.rows, page.isDone);
              if (page.isDone) return seen;
              cursor = page.continueCursor;
            }
          }),
        );
        for (const engine of engines) engine.close();
        expect(pages[1]).toEqual(pages[0]);
      },
    ),
    { numRuns: 100 },
  );
});
