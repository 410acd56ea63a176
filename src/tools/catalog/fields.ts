/**
 * The parameters of tools. Each field makes both the JSON schema that the model sees and the check of what the model
 * sends. The schema is loose (type, choices, required), because a gateway answers an argument that the schema refuses
 * with four more rounds and then an error. So lengths and rules are checked here.
 */
import * as v from 'valibot';
import type { ActingAgent } from '../../../machines/shared/acting.ts';

export interface Field<T> {
  /** What the model is told of it. */
  json: (agent: ActingAgent) => Record<string, unknown>;
  required: (agent: ActingAgent) => boolean;
  /** Its value when the model leaves it out. */
  absent: (agent: ActingAgent) => T | undefined;
  /** Completes "must be ...". */
  rule: string;
  schema: v.GenericSchema<unknown, T>;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The arguments of a call, as its fields read them. */
export type ArgumentsOf<F> = { [Name in keyof F]: F[Name] extends Field<infer T> ? T : never };

const field = <T>(
  json: Record<string, unknown>,
  rule: string,
  schema: v.GenericSchema<unknown, T>,
): Field<T> => ({ json: () => json, required: () => true, absent: () => undefined, rule, schema });

/** A parameter that may be left out. */
export const optional = <T>(of: Field<T>): Field<T | undefined> => ({
  ...of,
  required: () => false,
  schema: of.schema,
});

/** Half a surrogate pair would make the whole call invalid JSON for Mission Control. */
const wellFormed = v.pipe(
  v.string(),
  v.transform((text) => text.toWellFormed()),
);

/** Not with toLocaleString: it would load the data of locales, 5 MB, at every start. */
const thousands = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');

/** A text with something in it. */
export const text = (max: number, description: string): Field<string> =>
  field(
    { type: 'string', description },
    `a text of 1 to ${thousands(max)} characters that is not blank`,
    v.pipe(
      wellFormed,
      v.maxLength(max),
      v.check((value) => value.trim() !== ''),
    ),
  );

/** A text that may be empty. */
export const freeText = (max: number, description: string): Field<string> =>
  field(
    { type: 'string', description },
    `a text of at most ${thousands(max)} characters`,
    v.pipe(wellFormed, v.maxLength(max)),
  );

const id = v.pipe(v.string(), v.trim(), v.regex(/^[\w;|-]{1,64}$/));

export const idField = (description: string): Field<string> =>
  field({ type: 'string', description }, 'an id, as other tools or the prompt give it', id);

/** A task's id; the task of the run when it is left out. */
export const currentTask: Field<string> = {
  ...idField('The id of the task; leave it out for the current task.'),
  json: ({ taskId }) => ({
    type: 'string',
    description:
      taskId === null ? 'The id of the task.' : 'The id of the task; leave it out for the current task.',
  }),
  required: ({ taskId }) => taskId === null,
  absent: ({ taskId }) => taskId ?? undefined,
};

export function oneOf<const T extends string>(choices: readonly T[], description: string): Field<T> {
  return field(
    { type: 'string', enum: choices, description },
    `one of ${choices.join(', ')}`,
    v.picklist(choices),
  );
}

/** Whether the run may set a task to done at all; Mission Control then asks for a review and for the right agent. */
export const maySetDone = ({ flags, inBeat }: ActingAgent): boolean => flags.canMarkDone && !inBeat;

const SETTABLE = ['in_progress', 'review', 'done', 'blocked'] as const;
export type SettableStatus = (typeof SETTABLE)[number];

/** A status that an agent may give. `done` is told only to those who may. */
export const settableStatus = (description: string): Field<SettableStatus> => ({
  ...oneOf(SETTABLE, description),
  json: (agent) => ({
    type: 'string',
    enum: maySetDone(agent) ? SETTABLE : SETTABLE.filter((status) => status !== 'done'),
    description,
  }),
});

const PRIORITY_WORDS = ['critical', 'high', 'medium', 'low', 'lowest'];

export const priority: Field<number> = field(
  { type: 'number', description: '1 is the highest, 5 the lowest; 3 is usual.' },
  `a number from 1 to 5, or one of ${PRIORITY_WORDS.join(', ')}`,
  v.union([
    v.pipe(v.number(), v.minValue(1), v.maxValue(5)),
    v.pipe(
      v.string(),
      v.transform((word) => PRIORITY_WORDS.indexOf(word.trim().toLowerCase()) + 1),
      v.minValue(1),
    ),
  ]),
);

/** How many to give. A number above the most counts as the most. */
export const limit = (usual: number, max: number, what: string, min = 1): Field<number> => ({
  ...field(
    { type: 'number', description: `How many ${what} at most: ${usual} when left out, up to ${max}.` },
    `a number from ${min} to ${max}`,
    v.pipe(
      v.number(),
      v.minValue(min),
      v.transform((many) => Math.min(max, Math.floor(many))),
    ),
  ),
  required: () => false,
  absent: () => usual,
});

export const moment = (description: string): Field<number> =>
  field(
    { type: 'number', description },
    'a time in milliseconds since 1970',
    v.pipe(v.number(), v.finite(), v.minValue(0)),
  );

export const positive = (description: string): Field<number> =>
  field(
    { type: 'number', description },
    'a whole number above 0',
    v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  );

/** Short texts. */
export const texts = (description: string): Field<string[]> =>
  field(
    { type: 'array', items: { type: 'string' }, description },
    'a list of at most 100 texts of 1 to 200 characters',
    v.pipe(
      v.array(v.pipe(wellFormed, v.trim(), v.minLength(1), v.maxLength(200))),
      v.maxLength(100),
      v.transform((list) => [...new Set(list)]),
    ),
  );

/** Names of agents. An @ before a name and capitals do not matter. */
export const slugs = (description: string, max = 50): Field<string[]> =>
  field(
    { type: 'array', items: { type: 'string' }, description },
    `a list of 1 to ${max} slugs of agents`,
    v.pipe(
      v.array(v.pipe(v.string(), v.transform(plainSlug), v.minLength(1), v.maxLength(100))),
      v.transform((list) => [...new Set(list)]),
      v.minLength(1),
      v.maxLength(max),
    ),
  );

export const plainSlug = (text: string): string => text.trim().replace(/^@/, '').toLowerCase();
