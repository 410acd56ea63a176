import type { ActingAgent, CallCircumstances, ToolAnswer, ToolMode } from '../../machines/shared/acting.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { ToolCall } from '../../machines/shared/tools.ts';
import { prepareCall } from './call.ts';
import { findTool } from './catalog/catalog.ts';
import type { Making, PreparedCall } from './catalog/tool.ts';
import { envelopeOf, failure, success } from './envelope.ts';
import { isOffered } from './offer.ts';
import { Refusal, refusalOf } from './refusal.ts';
import type { ToolService } from './service.ts';

export type Execute = (
  call: ToolCall,
  agent: ActingAgent,
  options: CallCircumstances & { signal: AbortSignal },
) => Promise<ToolAnswer>;

export interface ExecuteOptions {
  service: ToolService;
  /** AGENT_TOOLS. */
  mode: ToolMode;
  /** Told of our own mistakes; the model only hears that the tool failed. */
  onBug: (tool: string, error: unknown) => void;
}

/**
 * Makes one call and gives its answer. A mistake in the call is also answered. When a call is made again (`repeat`), a
 * `set` is simply repeated. A `make` first looks for what the first try made, and answers `outcome_unknown` where
 * nobody can tell.
 *
 * Rejects with the signal's reason when that aborts. Rejects with a Fault `backendUnavailable` or `backendRefused` when
 * Convex is away or refuses the token; the call must then be made again later, as a repeat.
 */
export function createExecute({ service, mode, onBug }: ExecuteOptions): Execute {
  return async (call, agent, { signal, ...circumstances }) => {
    signal.throwIfAborted();
    const tool = findTool(call.name);
    if (tool !== null && !isOffered(tool, agent, mode)) return envelopeOf.notAllowed(call);
    let isMake = false;
    try {
      const prepared = prepareCall(call, agent);
      isMake = prepared.kind === 'make';
      return await answer(call.name, prepared, { agent, service, circumstances, signal });
    } catch (error) {
      signal.throwIfAborted();
      return failure(call.name, told(call.name, error, isMake, onBug));
    }
  };
}

async function answer(name: string, prepared: PreparedCall, making: Making): Promise<ToolAnswer> {
  if (making.circumstances.repeat && prepared.kind === 'make' && prepared.look !== null) {
    const looked = await prepared.look(making);
    if (looked === 'unknown') return envelopeOf.outcomeUnknown({ name });
    if (looked !== 'absent') return success(name, looked.found, true);
  }
  return success(name, await prepared.make(making));
}

/** @throws Fault that the model is not told of */
function told(name: string, error: unknown, isMake: boolean, onBug: ExecuteOptions['onBug']): Refusal {
  const refusal = refusalOf(error, isMake);
  if (refusal !== null) return refusal;
  if (error instanceof Fault && error.kind !== 'bug') throw error;
  onBug(name, error);
  return isMake
    ? new Refusal('outcome_unknown', 'The tool failed in the middle of its work.')
    : new Refusal('conflict', 'The tool failed.', 'Go on without it, and say so in your answer.');
}
