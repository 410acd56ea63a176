export type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

/** Deeper fields are left out, so that a log line never walks a whole socket. */
const DEEPEST = 8;

export interface PlainOptions {
  /** Whether errors keep their stack. */
  stacks: boolean;
}

/**
 * A deep copy of any value that JSON can hold. It calls `toJSON` only on dates and addresses, follows no cycle, and never
 * throws.
 */
export function toPlain(value: unknown, options: PlainOptions = { stacks: false }): Plain {
  return copy(value, options, []);
}

function copy(value: unknown, options: PlainOptions, above: object[]): Plain {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
    case 'symbol':
    case 'undefined':
      return String(value);
    case 'function':
      return '[function]';
    case 'object':
      return value === null ? null : copyBelow(value, options, above);
  }
}

function copyBelow(value: object, options: PlainOptions, above: object[]): Plain {
  if (above.includes(value)) return '[circular]';
  if (above.length >= DEEPEST) return '[too deep]';
  try {
    return copyObject(value, (inner) => copy(inner, options, [...above, value]), options);
  } catch (error) {
    // A foreign getter or proxy threw.
    return `[unreadable: ${error instanceof Error ? error.name : typeof error}]`;
  }
}

function copyObject(value: object, inner: (value: unknown) => Plain, options: PlainOptions): Plain {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return value.href;
  if (value instanceof Error) return copyEntries(errorEntries(value, options), inner);
  if (Array.isArray(value)) return value.map(inner);
  if (value instanceof Set) return [...value].map(inner);
  if (value instanceof Map) return copyEntries(value.entries(), inner);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  return copyEntries(Object.entries(value), inner);
}

function copyEntries(entries: Iterable<[unknown, unknown]>, inner: (value: unknown) => Plain): Plain {
  const kept = [...entries].filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept.map(([key, value]) => [String(key), inner(value)]));
}

/** The stack comes last, so that a reader first sees what happened. */
function errorEntries(error: Error, { stacks }: PlainOptions): [string, unknown][] {
  return [
    ['name', error.name],
    ['kind', 'kind' in error ? error.kind : undefined],
    ['code', 'code' in error ? error.code : undefined],
    ['message', error.message],
    ['cause', error.cause],
    // Node reports a refused connection as an AggregateError without a message of its own.
    ['errors', error instanceof AggregateError ? error.errors : undefined],
    ['stack', stacks ? error.stack : undefined],
  ];
}
