import type { ToolErrorCode } from '../../machines/shared/acting.ts';
import { Fault } from '../../machines/shared/fault.ts';
import { FunctionFault } from '../mission-control/function-fault.ts';

/** What to do next, where nothing better is known: one sentence for the model. */
const HINTS: Record<ToolErrorCode, string> = {
  invalid_arguments: 'Correct the argument and call again.',
  not_allowed: 'Do not try it again: say in your answer what somebody else should do.',
  not_found: 'Check the name or the id, and do not guess one.',
  conflict: 'Load the task with task_load, look at its present state, and decide anew.',
  unavailable: 'Nothing was changed: say in your answer that this is still to be done.',
  outcome_unknown: 'Look whether it is there before you repeat it.',
  limit: 'Make no more calls: answer now with what you have.',
};

/** Why a call is not made, or has failed. The model is told; the run goes on. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ToolErrorCode;
  readonly hint: string;

  /**
   * @param message one sentence for the model, without secrets
   * @param hint the next step in one sentence; the usual one of the code when absent
   */
  constructor(code: ToolErrorCode, message: string, hint: string = HINTS[code]) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** How the contract's texts begin (docs/contract.md#functions), the longer ones first. */
const BY_PREFIX: readonly (readonly [RegExp, ToolErrorCode])[] = [
  [/^(?:ArgumentValidationError|Validator error)/, 'invalid_arguments'],
  [/^Forbidden: (?:Agent|Task|Document|Target agent) belongs/, 'not_found'],
  [/^Forbidden: Task must be in review/, 'conflict'],
  [/^Forbidden:/, 'not_allowed'],
  [/^Not found:/, 'not_found'],
  [/^Invalid (?:transition|status change|status at creation|assignees):/, 'conflict'],
  [/^(?:Invalid|Unknown|No valid|Too many) /, 'invalid_arguments'],
  [/^(?:blockedReason|reason|Title|Description|Content|Message)\b/i, 'invalid_arguments'],
];

const BY_CODE: Readonly<Record<string, ToolErrorCode>> = {
  FORBIDDEN: 'not_allowed',
  NOT_FOUND: 'not_found',
  INVALID: 'invalid_arguments',
};

const MALFORMED_ARGUMENT = 'An id is malformed, or a value has the wrong type.';

/**
 * What a refusal by Mission Control means for the model. The text is more exact than the code of a ConvexError, so it
 * decides first. A production deployment may hide both; the refusal then counts as a conflict.
 */
function refusalOfFunction({ code, words }: FunctionFault): Refusal {
  const byText = BY_PREFIX.find(([prefix]) => prefix.test(words))?.[1];
  const meaning = byText ?? (code === null ? undefined : BY_CODE[code]);
  if (meaning === undefined) {
    const why = words === '' ? ' and does not say why' : `: ${words.replace(/[.\s]+$/, '')}`;
    return new Refusal('conflict', `Mission Control refused the call${why}.`);
  }
  const isValidator = BY_PREFIX[0]?.[0].test(words) === true;
  return new Refusal(meaning, isValidator ? MALFORMED_ARGUMENT : `${words.replace(/[.\s]+$/, '')}.`);
}

/**
 * What a call threw, as a refusal; null for anything else: an abort, Convex that is away, or our own mistake.
 * @param mayHaveMade whether the call makes something that an unreadable answer may stand for
 */
export function refusalOf(error: unknown, mayHaveMade: boolean): Refusal | null {
  if (error instanceof Refusal) return error;
  if (error instanceof FunctionFault && error.kind === 'textTooLong') {
    return new Refusal('invalid_arguments', 'The content is over 100,000 characters.', 'Send a shorter one.');
  }
  if (error instanceof FunctionFault && error.kind === 'backendRejected') return refusalOfFunction(error);
  if (!(error instanceof Fault) || error.kind !== 'backendRejected') return null;
  return mayHaveMade
    ? new Refusal('outcome_unknown', 'Mission Control gave an answer that cannot be read.')
    : new Refusal('conflict', 'Mission Control gave an answer that cannot be read.');
}
