import * as v from 'valibot';
import { Fault } from '../../machines/shared/fault.ts';
import type { Reply } from '../ports.ts';
import { replyOf, runFault } from './answer.ts';
import { parseJson } from './exchange.ts';
import { createSseParser, SseTooLongError } from './sse.ts';
import type { SseEvent } from './sse.ts';
import { theirWords } from './target.ts';
import type { Target } from './target.ts';

const StreamEvent = v.looseObject({
  type: v.optional(v.string()),
  delta: v.optional(v.unknown()),
  response: v.optional(v.unknown()),
  error: v.optional(v.unknown()),
});

/** How far a run has come; it outlives an error, which is judged by it. */
export interface Progress {
  /** The gateway has begun the run: it sends the first event as soon as it has accepted the request. */
  begun: boolean;
}

/**
 * The reply of a streamed run.
 * @param maxEventChars the longest event that is taken, in UTF-16 units
 * @throws Fault runFailed when the run failed or its stream is broken; gatewayUnavailable when it ended before
 *   the first event. An error of the connection is thrown on as it is.
 */
export async function readStream(
  chunks: AsyncIterable<Uint8Array>,
  progress: Progress,
  target: Target,
  maxEventChars: number,
): Promise<Reply> {
  const parser = createSseParser(maxEventChars);
  const turn = createTurn(target);
  try {
    for await (const chunk of chunks) {
      for (const event of parser.push(chunk)) {
        progress.begun = true;
        // Read on to the end mark: a gateway that sees us leave before it calls the run aborted.
        if (event.data === '[DONE]') return turn.end();
        turn.take(event);
      }
    }
  } catch (error) {
    const reply = turn.reply();
    if (reply) return reply;
    if (error instanceof SseTooLongError) {
      throw new Fault('runFailed', `The stream was given up: ${error.message}`);
    }
    throw error;
  }
  if (!progress.begun) {
    throw new Fault('gatewayUnavailable', 'The OpenClaw gateway ended the answer before the run began.');
  }
  return turn.end();
}

interface Turn {
  /** @throws Fault runFailed when the event says so or is not an event at all */
  take(event: SseEvent): void;
  reply(): Reply | null;
  /** @throws Fault runFailed when no event ended the run */
  end(): Reply;
}

function createTurn(target: Target): Turn {
  const deltas: string[] = [];
  let reply: Reply | null = null;
  return {
    take(event) {
      const parsed = v.safeParse(StreamEvent, parseJson(event.data));
      if (!parsed.success) {
        throw new Fault(
          'runFailed',
          `The gateway's stream is broken: "${theirWords(event.data, target)}" is no event.`,
        );
      }
      const { type = event.name, delta, response, error } = parsed.output;
      if (type === 'response.output_text.delta' && typeof delta === 'string') deltas.push(delta);
      if (type === 'response.failed') throw runFault(response, target);
      if (type === 'error') throw runFault({ status: 'failed', error: error ?? parsed.output }, target);
      if (type === 'response.completed' || type === 'response.incomplete') {
        reply = replyOf(response, deltas.join(''), target);
      }
    },
    reply: () => reply,
    end() {
      if (reply) return reply;
      throw new Fault('runFailed', 'The answer broke off: the stream ended without the end of the run.');
    },
  };
}
