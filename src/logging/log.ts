/**
 * The fields beside a message. Any value is allowed: it is copied when the line is written. An error becomes its name,
 * kind and message, and a value that JSON cannot hold becomes a word.
 */
export type LogFields = Readonly<Record<string, unknown>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type Write = (event: string, message: string, fields?: LogFields) => void;

/** The log. `event` is a stable dotted name for machines (`delivery.delivered`), `message` a sentence for people. */
export interface Log {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  /** Whether debug lines are written. Preparing one may cost more than writing it. */
  isDebug: boolean;
  /** The same log with these fields on every line. */
  child(fields: LogFields): Log;
  /** Settles when the stream has taken every line so far, or after 2 s. Never rejects. */
  flush(): Promise<void>;
}
