import type { Writable } from 'node:stream';
import winston from 'winston';
import { jsonLine, prettyLine, type Entry, type Render } from './format.ts';
import type { Log, LogFields, LogLevel, Write } from './log.ts';
import { toPlain, type PlainOptions } from './plain.ts';
import { createSink } from './sink.ts';

export interface LoggerOptions {
  level: LogLevel;
  format: 'json' | 'pretty';
  /** Applied to every line as it is written. */
  redact: (text: string) => string;
  service: { name: string; version: string };
  accountId: string;
  /** Default: process.stdout. */
  stream?: Writable;
}

const LEVELS = { error: 0, warn: 1, info: 2, debug: 3 } satisfies Record<LogLevel, number>;

/** The reader of the log may have stopped reading, and the process must end all the same. */
const FLUSH_MS = 2_000;

const hasColour = (stream: Writable): boolean =>
  'isTTY' in stream && stream.isTTY === true && !process.env.NO_COLOR;

function rendererOf({ format, redact, service, accountId }: LoggerOptions, stream: Writable): Render {
  if (format === 'pretty') return prettyLine(hasColour(stream), redact);
  return jsonLine({ service: service.name, version: service.version, account: accountId }, redact);
}

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && 'event' in value && 'fields' in value;

/** The log of the runtime: one line per event, redacted, on one stream. */
export function createLogger(options: LoggerOptions): Log {
  const target = options.stream ?? process.stdout;
  const sink = createSink(target, FLUSH_MS);
  const logger = createWinston(options, rendererOf(options, target), sink.stream);

  const logWith = (always: Entry['fields']): Log => {
    const write =
      (level: LogLevel): Write =>
      (event, message, fields = {}) => {
        if (!logger.isLevelEnabled(level)) return;
        // A line at level error tells of a bug in the runtime, so it keeps the stack.
        const own = copyFields(fields, { stacks: level === 'error' || options.level === 'debug' });
        const entry: Entry = { at: new Date(), level, event, message, fields: { ...always, ...own } };
        logger.log({ level, message, entry });
      };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      isDebug: logger.isLevelEnabled('debug'),
      child: (fields) => logWith({ ...always, ...copyFields(fields, { stacks: false }) }),
      // winston hands a line on in the same turn (a test checks that), so the stream has all lines by now.
      flush: sink.flush,
    };
  };
  return logWith({});
}

function createWinston({ level }: LoggerOptions, render: Render, stream: Writable): winston.Logger {
  const logger = winston.createLogger({
    levels: LEVELS,
    level,
    // winston runs the logger's own format for suppressed levels too, so the format is on the transport.
    format: winston.format((info) => info)(),
  });
  // This is logger.add() without its relay of errors; this transport emits none.
  logger.pipe(
    new winston.transports.Stream({
      stream,
      eol: '\n',
      format: winston.format.printf(({ entry }) => (isEntry(entry) ? orApology(render, entry) : '')),
    }),
  );
  return logger;
}

/** A line that cannot be formatted must not end the process, and it must not go out unredacted. */
function orApology(render: Render, entry: Entry): string {
  try {
    return render(entry);
  } catch (error) {
    const reason = error instanceof Error ? error.name : typeof error;
    const message = `The line of ${entry.event} could not be written (${reason}).`;
    return JSON.stringify({
      timestamp: entry.at.toISOString(),
      level: 'error',
      event: 'log.failed',
      message,
    });
  }
}

/** Copies the caller's objects: they are not kept and not changed. */
function copyFields(fields: LogFields, options: PlainOptions): Entry['fields'] {
  const copy = toPlain(fields, options);
  return typeof copy === 'object' && copy !== null && !Array.isArray(copy) ? copy : { fields: copy };
}
