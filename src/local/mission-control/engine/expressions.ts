/** What queries are made of, as the `convex` package hands it over: index ranges and filters. */
import { compareValues, jsonToConvex } from 'convex/values';
import type { JSONValue, Value } from 'convex/values';
import { afterPrefix, encodeKey } from './keys.ts';
import { requireIndex, type Index, type Range, type Table } from './tables.ts';
import { fieldAt, membersOf, type Document } from './values.ts';

export interface RangeExpression {
  type: 'Eq' | 'Gt' | 'Gte' | 'Lt' | 'Lte';
  fieldPath: string;
  value: JSONValue;
}

type Source =
  | { type: 'FullTableScan'; tableName: string; order: 'asc' | 'desc' | null }
  | { type: 'IndexRange'; indexName: string; range: RangeExpression[]; order: 'asc' | 'desc' | null }
  | { type: 'Search' };

type Operator = { filter: JSONValue } | { limit: number };

export interface Query {
  source: Source;
  operators: Operator[];
}

/** Encoded as an object with one member, which is what no value of Convex looks like. */
function decode(value: JSONValue): Value | undefined {
  return typeof value === 'object' && value !== null && '$undefined' in value
    ? undefined
    : jsonToConvex(value);
}

/**
 * The part of an index that a `withIndex` asks for.
 * @throws Error when the fields are not those of the index, in their order
 */
export function rangeOf(table: Table, indexName: string, expressions: readonly RangeExpression[]): Range {
  const index = requireIndex(table, indexName);
  const equals = takeEquals(index, expressions);
  const prefix = encodeKey(equals.map(({ value }) => decode(value)));
  let [from, to] = [prefix, afterPrefix(prefix)];
  const bounds = expressions.slice(equals.length);
  checkBounds(index.fields[equals.length], bounds);
  for (const { type, value } of bounds) {
    const key = Buffer.concat([prefix, encodeKey([decode(value)])]);
    if (type === 'Gt') from = afterPrefix(key);
    else if (type === 'Gte') from = key;
    else if (type === 'Lt') to = key;
    else to = afterPrefix(key);
  }
  return { index: index.number, from, to };
}

function takeEquals(index: Index, expressions: readonly RangeExpression[]): RangeExpression[] {
  const end = expressions.findIndex(({ type }) => type !== 'Eq');
  const equals = expressions.slice(0, end === -1 ? undefined : end);
  for (const [at, { fieldPath }] of equals.entries()) requireField(index.fields[at], fieldPath);
  return equals;
}

function checkBounds(field: string | undefined, bounds: readonly RangeExpression[]): void {
  const sides = bounds.map(({ type }) => type.charAt(0));
  if (sides.includes('E') || sides.length > 2 || (sides.length === 2 && sides[0] === sides[1])) {
    throw new Error(
      'Incorrect operators used in `withIndex`: after the `.eq`s come at most one of `.gt` and `.gte` and one of `.lt` and `.lte`.',
    );
  }
  for (const { fieldPath } of bounds) requireField(field, fieldPath);
}

function requireField(expected: string | undefined, given: string): void {
  if (expected === given) return;
  throw new Error(
    `Incorrect field used in \`withIndex\`, expected "${expected ?? 'no more'}", got "${given}".`,
  );
}

type Operands = readonly JSONValue[];

const COMPARISONS: Readonly<Record<string, (difference: number) => boolean>> = {
  $eq: (difference) => difference === 0,
  $neq: (difference) => difference !== 0,
  $lt: (difference) => difference < 0,
  $lte: (difference) => difference <= 0,
  $gt: (difference) => difference > 0,
  $gte: (difference) => difference >= 0,
};

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  $add: (a, b) => a + b,
  $sub: (a, b) => a - b,
  $mul: (a, b) => a * b,
  $div: (a, b) => a / b,
  $mod: (a, b) => a % b,
};

/** The value of a `.filter` for one document. @throws Error when it calculates with what is no number */
export function evaluate(expression: JSONValue, document: Document): Value | undefined {
  const [name = '', operand = null] = membersOf(expression)[0] ?? [];
  const value = (one: JSONValue | undefined) => evaluate(one ?? null, document);
  const operands: Operands = Array.isArray(operand) ? operand : [];
  const compare = COMPARISONS[name];
  if (compare) return compare(compareValues(value(operands[0]), value(operands[1])));
  const calculate = ARITHMETIC[name];
  if (calculate) return calculate(numberOf(value(operands[0])), numberOf(value(operands[1])));
  switch (name) {
    case '$and':
      return operands.every((one) => value(one) === true);
    case '$or':
      return operands.some((one) => value(one) === true);
    case '$not':
      return value(operand) !== true;
    case '$neg':
      return -numberOf(value(operand));
    case '$field':
      return typeof operand === 'string' ? fieldAt(document, operand) : undefined;
    case '$literal':
      return decode(operand);
    default:
      throw new Error(`The local Mission Control has no filter called ${name}.`);
  }
}

function numberOf(value: Value | undefined): number {
  if (typeof value === 'number') return value;
  throw new Error('A filter calculates with numbers only.');
}
