import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { Fault } from '../../machines/shared/fault.ts';
import type { Reply } from '../ports.ts';
import { TooLargeError } from './body.ts';
import type { Target } from './target.ts';
import { createTurn } from './turn.ts';
import type { LeftOut, Turn } from './turn.ts';

/** A reply, and what there is still to read after it. */
export interface ReadReply {
  reply: Reply;
  /** Reads on to the end mark or the end of the body. It never rejects, for the reply is known. */
  rest: () => Promise<void>;
  /** What could not be read on the way to the reply. */
  leftOut: LeftOut;
}

/**
 * The reply of a streamed run, taken as soon as an event ends the response.
 * @param maxEventChars the longest event that is taken, in UTF-16 units
 * @throws Fault runFailed when the run failed or its stream holds no reply; runCut when the stream ended before the
 *   end of the run. An error of the connection is thrown on as it is.
 */
export async function readStream(
  chunks: AsyncIterable<Uint8Array>,
  target: Target,
  maxEventChars: number,
): Promise<ReadReply> {
  const turn = createTurn(target);
  const events = eventsIn(chunks, maxEventChars);
  let begun = false;
  const readUntil = async (isEnough: () => boolean): Promise<void> => {
    while (!isEnough()) {
      const next = await events.next();
      if (next.done === true) return;
      // The gateway sends the first event as soon as it has accepted the request.
      begun = true;
      turn.take(next.value);
    }
  };
  try {
    await readUntil(() => turn.reply() !== null || turn.isDone());
  } catch (error) {
    // A connection that breaks after the whole reply costs nothing.
    if (error instanceof Fault || turn.replyAtEnd() === null) throw error;
  }
  const reply = turn.replyAtEnd();
  if (reply === null) throw withoutReply(turn, begun);
  // An error here comes from the connection, which is no longer needed.
  const rest = (): Promise<void> => readUntil(() => turn.isDone()).catch(() => undefined);
  return { reply, rest, leftOut: turn.leftOut() };
}

function withoutReply(turn: Turn, begun: boolean): Fault {
  const { count, example } = turn.leftOut();
  const unread = count === 0 ? '' : ` ${count} of its events could not be read, the first: "${example}".`;
  if (turn.isDone()) return new Fault('runFailed', `The stream ended without a reply.${unread}`);
  const before = begun ? 'the end of the run' : 'its first event';
  return new Fault('runCut', `The answer broke off: the stream ended before ${before}.${unread}`);
}

/** The events of a stream; the last one also when no empty line ends it. @throws TooLargeError for one over the limit */
async function* eventsIn(
  chunks: AsyncIterable<Uint8Array>,
  maxEventChars: number,
): AsyncGenerator<EventSourceMessage> {
  const decoder = new TextDecoder();
  let events: EventSourceMessage[] = [];
  const limit = { passed: false };
  const parser = createParser({
    maxBufferSize: maxEventChars,
    onEvent: (event) => void events.push(event),
    onError: ({ type }) => (limit.passed ||= type === 'max-buffer-size-exceeded'),
  });
  const feed = (text: string): EventSourceMessage[] => {
    events = [];
    parser.feed(text);
    return events;
  };
  for await (const chunk of chunks) {
    yield* feed(decoder.decode(chunk, { stream: true }));
    if (limit.passed) throw new TooLargeError(`one event has more than ${maxEventChars} characters`);
  }
  yield* feed(`${decoder.decode()}\n\n`);
}
