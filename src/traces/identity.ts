/**
 * The ids of a trace are computed from its subject. So a process that goes on after a crash adds to the same trace, and
 * nothing has to be stored for that.
 */
import { createHash } from 'node:crypto';
import { RandomIdGenerator, type IdGenerator } from '@opentelemetry/sdk-trace';
import type { Version } from '../../machines/notification/version.ts';

export interface Identity {
  traceId: string;
  /** Of the span that all others are in. */
  spanId: string;
}

export const identityOf = (accountId: string, id: string, { messageId, createdAt }: Version): Identity =>
  identityFrom([accountId, id, messageId ?? '', String(createdAt)]);

/** An id of zeros alone is invalid, but no hash is that. */
export function identityFrom(parts: readonly string[]): Identity {
  const hex = createHash('sha256').update(parts.join('\n')).digest('hex');
  return { traceId: hex.slice(0, 32), spanId: hex.slice(32, 48) };
}

/** Random ids, and those of an identity for the span that is begun in `as`. */
export class Identities implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #next: Identity | null = null;

  as<T>(identity: Identity, begin: () => T): T {
    this.#next = identity;
    try {
      return begin();
    } finally {
      this.#next = null;
    }
  }

  generateTraceId(): string {
    return this.#next?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#next?.spanId ?? this.#random.generateSpanId();
  }
}
