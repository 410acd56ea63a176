/** Checks values against the validators of `convex/values`, as they are exported, with Convex's own messages. */
import { compareValues, convexToJson, jsonToConvex } from 'convex/values';
import type { ValidatorJSON, Value } from 'convex/values';
import { isFields, type Fields } from './values.ts';

/** @returns the name of the table that an id belongs to, or null */
export type TableOf = (id: string) => string | null;

const MOST_SHOWN = 500;

/** @throws Error that says which value does not fit, and where */
export function validate(validator: ValidatorJSON, value: Value, tableOf: TableOf, error: string): void {
  const flaw = findFlaw(validator, value, tableOf, '');
  if (flaw !== null) throw new Error(`${error}: ${flaw()}`);
}

/**
 * Says what does not fit, in one sentence. The sentence is made only when it is needed, because most members of a union
 * do not fit.
 */
type Flaw = () => string;

/** @returns null when the value fits */
export function findFlaw(
  validator: ValidatorJSON,
  value: Value,
  tableOf: TableOf,
  path: string,
): Flaw | null {
  switch (validator.type) {
    case 'any':
      return null;
    case 'null':
      return value === null ? null : unlike(validator, value, path);
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'string':
      return typeof value === validator.type ? null : unlike(validator, value, path);
    case 'bytes':
      return value instanceof ArrayBuffer ? null : unlike(validator, value, path);
    case 'literal':
      return isLiteral(validator, value) ? null : unlike(validator, value, path);
    case 'id':
      return typeof value === 'string' && tableOf(value) === validator.tableName
        ? null
        : unlike(validator, value, path);
    case 'array':
      return Array.isArray(value)
        ? first(value.keys(), (at) => findFlaw(validator.value, value[at] ?? null, tableOf, `${path}[${at}]`))
        : unlike(validator, value, path);
    case 'union':
      return validator.value.some((member) => findFlaw(member, value, tableOf, path) === null)
        ? null
        : unlike(validator, value, path);
    case 'object':
      return isFields(value)
        ? findFieldFlaw(validator.value, value, tableOf, path)
        : unlike(validator, value, path);
    case 'record':
      return isFields(value)
        ? first(Object.keys(value), (key) => findEntryFlaw(validator, key, value[key], tableOf, path))
        : unlike(validator, value, path);
    default:
      return () => `The validator v.${validator.type}() is not there in the local Mission Control.`;
  }
}

const isLiteral = ({ value: literal }: Extract<ValidatorJSON, { type: 'literal' }>, value: Value): boolean =>
  value === literal || (typeof literal === 'object' && compareValues(value, jsonToConvex(literal)) === 0);

type FieldValidators = Extract<ValidatorJSON, { type: 'object' }>['value'];

function findFieldFlaw(fields: FieldValidators, value: Fields, tableOf: TableOf, path: string): Flaw | null {
  const known = first(Object.entries(fields), ([name, { fieldType, optional }]) => {
    const found = value[name];
    if (found !== undefined) return findFlaw(fieldType, found, tableOf, `${path}.${name}`);
    if (optional) return null;
    return () =>
      `Object is missing the required field \`${name}\`${at(path)}. Consider wrapping the field validator in \`v.optional(...)\` if this is expected.`;
  });
  if (known !== null) return known;
  const extra = Object.keys(value).find((name) => value[name] !== undefined && !Object.hasOwn(fields, name));
  return extra === undefined
    ? null
    : () => `Object contains extra field \`${extra}\` that is not in the validator${at(path)}.`;
}

function findEntryFlaw(
  { keys, values }: Extract<ValidatorJSON, { type: 'record' }>,
  key: string,
  value: Value | undefined,
  tableOf: TableOf,
  path: string,
): Flaw | null {
  return (
    findFlaw(keys, key, tableOf, `${path}.${key} (its name)`) ??
    findFlaw(values.fieldType, value ?? null, tableOf, `${path}.${key}`)
  );
}

function first<T>(items: Iterable<T>, look: (item: T) => Flaw | null): Flaw | null {
  for (const item of items) {
    const found = look(item);
    if (found !== null) return found;
  }
  return null;
}

const at = (path: string): string => (path === '' ? '' : ` at ${path}`);

const unlike =
  (validator: ValidatorJSON, value: Value, path: string): Flaw =>
  () =>
    `Value does not match validator.${path === '' ? '' : `\nPath: ${path}`}\nValue: ${shown(value)}\nValidator: ${nameOf(validator)}`;

function shown(value: Value): string {
  const text = JSON.stringify(convexToJson(value));
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

/** A validator as one writes it. */
function nameOf(validator: ValidatorJSON): string {
  switch (validator.type) {
    case 'number':
      return 'v.float64()';
    case 'bigint':
      return 'v.int64()';
    case 'id':
      return `v.id("${validator.tableName}")`;
    case 'literal':
      return `v.literal(${JSON.stringify(validator.value)})`;
    case 'array':
      return `v.array(${nameOf(validator.value)})`;
    case 'union':
      return `v.union(${validator.value.map(nameOf).join(', ')})`;
    case 'object':
      return `v.object({${Object.entries(validator.value)
        .map(([name, { fieldType, optional }]) =>
          optional ? `${name}: v.optional(${nameOf(fieldType)})` : `${name}: ${nameOf(fieldType)}`,
        )
        .join(', ')}})`;
    default:
      return `v.${validator.type}()`;
  }
}
