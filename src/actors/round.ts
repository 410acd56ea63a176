/** One round of an agent on the gateway: the same for a notification and a beat. */
import type { Parent } from '../../machines/shared/parent.ts';
import { mayCall, type Rounds } from '../../machines/shared/rounds.ts';
import type { Meaning } from '../../machines/shared/silence.ts';
import type { Sign } from '../../machines/shared/child-messages.ts';
import type { Spent } from '../../machines/shared/spending.ts';
import type { ToolSchema } from '../../machines/shared/tools.ts';
import type { Prompt } from '../gateway/prompt-parts.ts';
import { buildFollowUp } from '../gateway/prompt-tools.ts';
import type { Gateway, Reply, RunRequest } from '../ports.ts';
import { countFailure, outcomeOf, type CountRun } from './count-run.ts';
import type { SessionLock } from './session-lock.ts';
import { tellSigns } from './signs.ts';
import type { Spending } from './spending.ts';

export interface RoundSurroundings {
  gateway: Gateway;
  sessions: SessionLock;
  /** Keeps what an agent uses. */
  spending: Pick<Spending, 'add'>;
  countRun: CountRun;
}

export interface Round {
  agent: { _id: string; slug: string };
  sessionKey: string;
  request: Pick<RunRequest, 'instructions' | 'input' | 'tools'>;
  /** How long the run's earlier rounds took, in milliseconds. */
  ranMs: number;
  /** Hears when the gateway sends something. */
  signs: Parent<Sign>;
  /** Called with the reply the moment that it is complete. The round waits for it. */
  onReply?: (reply: Reply) => Promise<void>;
  /** What the run came to; null: another round follows. */
  meaningOf: (reply: Reply) => Meaning | null;
}

/**
 * What is sent: the run's first request, or the answers to the calls of the round before.
 * @param offered the agent's tools; none go out with the last round
 * @param repeat an earlier try of this run may have begun the calls
 * @param lastLine the last line of the prompt
 */
export function requestOf(
  prompt: Prompt,
  rounds: Rounds,
  { offered, repeat, lastLine }: { offered: readonly ToolSchema[]; repeat: boolean; lastLine: string },
) {
  const more = mayCall(rounds);
  const tools = more ? offered : [];
  if (rounds.count === 0) return { ...prompt, tools };
  const results = rounds.calls.map(({ call, answer }) => ({ name: call.name, output: answer?.output ?? '' }));
  return { ...prompt, input: buildFollowUp({ results, more, repeat, lastLine }), tools };
}

/** @returns the reply, how long the round took in milliseconds, and what the agent has used by now */
export async function playRound(
  { gateway, sessions, spending, countRun }: RoundSurroundings,
  { agent, sessionKey, request, ranMs, signs, onReply, meaningOf }: Round,
  signal: AbortSignal,
): Promise<{ reply: Reply; runMs: number; spent: Spent | null }> {
  const heard = tellSigns(signs, signal);
  const started = performance.now();
  const seconds = (): number => (ranMs + performance.now() - started) / 1_000;
  try {
    const reply = await sessions.run(sessionKey, signal, () =>
      gateway.respond({
        agentSlug: agent.slug,
        sessionKey,
        ...request,
        signal,
        ...(onReply && { onReply }),
        onSign: heard.onSign,
      }),
    );
    const meaning = meaningOf(reply);
    if (meaning !== null) countRun(outcomeOf(meaning), seconds());
    const runMs = Math.round(performance.now() - started);
    return { reply, runMs, spent: spending.add(agent, reply.usage) };
  } catch (error) {
    countFailure(countRun, error, seconds(), signal);
    throw error;
  } finally {
    heard.end();
  }
}
