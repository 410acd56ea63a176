import * as v from 'valibot';
import { Fault } from '../../machines/shared/fault.ts';

/** A row that was left out, without its content. */
export interface Malformed {
  /** The function and the row: its id, or its place where it has none. */
  what: string;
  /** The first field that is wrong and what it should be. */
  problem: string;
}

/**
 * Reads an answer.
 * @param name the function, for the message
 * @throws Fault backendRejected: names the first field that is wrong, never a value
 */
export function parseAnswer<T>(schema: v.GenericSchema<unknown, T>, value: unknown, name: string): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new Fault(
    'backendRejected',
    `${name} answered with something that is not in the contract: ${problemOf(result.issues[0])}.`,
  );
}

/**
 * Reads a list row by row. A malformed row is left out and reported, so that it never hides the others.
 * @throws Fault backendRejected when it is no list at all
 */
export function parseRows<T>(
  schema: v.GenericSchema<unknown, T>,
  value: unknown,
  name: string,
): { rows: T[]; malformed: Malformed[] } {
  const rows: T[] = [];
  const malformed: Malformed[] = [];
  for (const [index, item] of parseAnswer(v.array(v.unknown()), value, name).entries()) {
    const result = v.safeParse(schema, item, { abortEarly: true });
    if (result.success) rows.push(result.output);
    else malformed.push({ what: `${name} ${rowName(item, index)}`, problem: problemOf(result.issues[0]) });
  }
  return { rows, malformed };
}

/**
 * Gives the path and the expectation only, because valibot's own message quotes the value, which may be somebody's
 * text.
 */
function problemOf(issue: v.BaseIssue<unknown>): string {
  return `${v.getDotPath(issue) ?? 'the value'} should be ${issue.expected ?? 'something else'}`;
}

const identified = v.union([
  v.pipe(
    v.object({ _id: v.string() }),
    v.transform((row) => row._id),
  ),
  v.pipe(
    v.object({ messageId: v.string() }),
    v.transform((row) => row.messageId),
  ),
]);

function rowName(row: unknown, index: number): string {
  const id = v.safeParse(identified, row);
  return id.success ? id.output.slice(0, 64) : `row ${index + 1} (no id)`;
}
