import type { ToolAnswer, ToolErrorCode } from '../../machines/shared/acting.ts';
import { cut } from '../gateway/text.ts';
import { fitData } from './cut.ts';
import { Refusal } from './refusal.ts';

/** Of a call's answer in characters. */
const MAX_OUTPUT = 24_000;

const MAX_MESSAGE = 300;
const MAX_NAME = 64;

/** The answer to a call that went well: `{tool, ok: true, data}`. @param found an earlier try had made it */
export function success(tool: string, data: Record<string, unknown>, found = false): ToolAnswer {
  const frame = JSON.stringify({ tool, ok: true, data: {} }).length;
  const fitted = fitData(data, MAX_OUTPUT - frame);
  return { output: JSON.stringify({ tool, ok: true, data: fitted }), outcome: found ? 'found' : 'ok' };
}

/** The answer to any other call: `{tool, ok: false, error: {code, message, hint}}`. */
export function failure(tool: string, { code, message, hint }: Refusal): ToolAnswer {
  const error = { code, message: cut(message, MAX_MESSAGE), hint };
  return { output: JSON.stringify({ tool: cut(tool, MAX_NAME), ok: false, error }), outcome: code };
}

const refused =
  (code: ToolErrorCode, message: string) =>
  (call: { name: string }): ToolAnswer =>
    failure(call.name, new Refusal(code, message));

/** The answers to calls that are not made, or not made again. */
export const envelopeOf = {
  limit: refused('limit', 'This run has made as many calls as it may.'),
  /** Only for a call that certainly had no effect. */
  unavailable: refused('unavailable', 'Mission Control cannot be reached.'),
  outcomeUnknown: refused('outcome_unknown', 'The call was made, and its answer was lost.'),
  notAllowed: refused('not_allowed', 'This tool is not offered to you.'),
};
