import * as v from 'valibot';
import type { ActingAgent, CallCircumstances } from '../../../machines/shared/acting.ts';
import { Refusal } from '../refusal.ts';
import type { ToolService } from '../service.ts';
import type { ArgumentsOf, Field, Fields } from './fields.ts';

/** read: changes nothing; set: the same however often it is made; make: each time makes one more. */
export type ToolKind = 'read' | 'set' | 'make';

/** Who may use a tool. */
export interface Gate {
  /** For the docs: completes "offered to ...". */
  text: string;
  allows: (agent: ActingAgent) => boolean;
}

/** What a call is made with. */
export interface Making {
  agent: ActingAgent;
  service: ToolService;
  circumstances: CallCircumstances;
  signal: AbortSignal;
}

type Data = Record<string, unknown>;

/** What a look for an earlier try found: what it made, that it made nothing, or that nobody can tell. */
type Looked = { found: Data } | 'absent' | 'unknown';

/** A call that may be made. */
export interface PreparedCall {
  /** The arguments with defaults filled in. Two calls with equal ones are the same call. */
  canonical: Record<string, unknown>;
  kind: ToolKind;
  /** @throws Refusal; Fault */
  make: (making: Making) => Promise<Data>;
  /** Looks for what an earlier try made; null where the call can simply be made again. */
  look: ((making: Making) => Promise<Looked>) | null;
}

export interface Tool {
  name: string;
  description: string;
  gate: Gate;
  /** The kind for the docs and for the offer; a single call may be of another kind. */
  kind: ToolKind;
  fields: Fields;
  /** @throws Refusal invalid_arguments, not_allowed */
  prepare: (given: Record<string, unknown>, agent: ActingAgent) => PreparedCall;
}

interface ToolSpec<F extends Fields> {
  name: string;
  description: string;
  gate: Gate;
  kind: ToolKind;
  fields: F;
  /** Where the kind depends on the arguments. */
  kindOf?: (given: ArgumentsOf<F>) => ToolKind;
  /** Rules across fields and what only some may ask for. @throws Refusal */
  check?: (given: ArgumentsOf<F>, agent: ActingAgent) => void;
  make: (given: ArgumentsOf<F>, making: Making) => Promise<Data>;
  look?: (given: ArgumentsOf<F>, making: Making) => Promise<Looked>;
}

export function defineTool<F extends Fields>(spec: ToolSpec<F>): Tool {
  const { name, description, gate, kind, fields, look } = spec;
  return {
    name,
    description,
    gate,
    kind,
    fields,
    prepare(given, agent) {
      const values = readArguments(name, fields, given, agent);
      spec.check?.(values, agent);
      return {
        canonical: values,
        kind: spec.kindOf?.(values) ?? kind,
        make: (making) => spec.make(values, making),
        look: look === undefined ? null : (making) => look(values, making),
      };
    },
  };
}

/** @throws Refusal invalid_arguments: names the first argument that is wrong and what it must be */
function readArguments<F extends Fields>(
  tool: string,
  fields: F,
  given: Record<string, unknown>,
  agent: ActingAgent,
): ArgumentsOf<F> {
  const stranger = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
  if (stranger !== undefined) {
    throw new Refusal(
      'invalid_arguments',
      `${tool} has no parameter "${stranger.slice(0, 40)}".`,
      `Leave it out: the parameters are ${Object.keys(fields).join(', ')}.`,
    );
  }
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = readArgument(name, field, given[name], agent);
    if (value !== undefined) values[name] = value;
  }
  // Each value was read by the schema of its own field.
  return values as ArgumentsOf<F>;
}

/** Models send null for what they leave out. */
function readArgument(name: string, field: Field<unknown>, given: unknown, agent: ActingAgent): unknown {
  if (given === undefined || given === null) {
    if (!field.required(agent)) return field.absent(agent);
    throw new Refusal('invalid_arguments', `"${name}" is missing: it must be ${field.rule}.`);
  }
  const read = v.safeParse(field.schema, given, { abortEarly: true });
  if (read.success) return read.output;
  throw new Refusal('invalid_arguments', `"${name}" must be ${field.rule}.`);
}
