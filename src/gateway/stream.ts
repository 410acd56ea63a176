import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { Fault } from '../../machines/shared/fault.ts';
import type { Reply } from '../ports.ts';
import { TooLargeError } from './exchange.ts';
import type { Target } from './target.ts';
import { createTurn } from './turn.ts';
import type { LeftOut, Turn } from './turn.ts';

/** How far a run has come; it outlives an error, which is judged by it. */
export interface Progress {
  /** When the connection stood and the request went out (performance.now()); null before. */
  sentAt: number | null;
  /** The gateway has begun the run: it sends the first event as soon as it has accepted the request. */
  begun: boolean;
}

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
  progress: Progress,
  target: Target,
  maxEventChars: number,
): Promise<ReadReply> {
  const turn = createTurn(target);
  const events = eventsIn(chunks, maxEventChars);
  try {
    for (let next = await events.next(); next.done !== true && !turn.isDone(); next = await events.next()) {
      progress.begun = true;
      turn.take(next.value);
      if (turn.reply() !== null || turn.isDone()) break;
    }
  } catch (error) {
    if (error instanceof Fault || turn.replyAtEnd() === null) throw error;
  }
  const reply = turn.replyAtEnd();
  if (reply === null) throw withoutReply(turn, progress);
  // An error here is one of the connection, which has done its work.
  const rest = (): Promise<void> => readToEnd(events, turn).catch(() => undefined);
  return { reply, rest, leftOut: turn.leftOut() };
}

function withoutReply(turn: Turn, { begun }: Progress): Fault {
  const { count, example } = turn.leftOut();
  const unread = count === 0 ? '' : ` ${count} of its events could not be read, the first: "${example}".`;
  if (turn.isDone()) return new Fault('runFailed', `The stream ended without a reply.${unread}`);
  const before = begun ? 'the end of the run' : 'its first event';
  return new Fault('runCut', `The answer broke off: the stream ended before ${before}.${unread}`);
}

async function readToEnd(events: AsyncGenerator<EventSourceMessage>, turn: Turn): Promise<void> {
  while (!turn.isDone()) {
    const next = await events.next();
    if (next.done === true) return;
    turn.take(next.value);
  }
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
