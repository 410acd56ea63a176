import { expect, test } from 'vitest';
import { Identities, identityOf } from './identity.ts';

const VERSION = { messageId: 'm1', createdAt: 1 };

test('the same version of a notification has the same ids in every process, and any other has others', () => {
  const identity = identityOf('a', 'n1', VERSION);
  expect(identity.traceId).toMatch(/^[\da-f]{32}$/);
  expect(identity.spanId).toMatch(/^[\da-f]{16}$/);
  expect(identityOf('a', 'n1', { ...VERSION })).toEqual(identity);
  const others = [
    identityOf('b', 'n1', VERSION),
    identityOf('a', 'n2', VERSION),
    identityOf('a', 'n1', { ...VERSION, messageId: null }),
    identityOf('a', 'n1', { ...VERSION, createdAt: 2 }),
  ];
  expect(new Set([identity, ...others].map(({ traceId }) => traceId)).size).toBe(5);
});

test('an identity is for the span that begins in it, and for no later one', () => {
  const identities = new Identities();
  const identity = identityOf('a', 'n1', VERSION);
  const taken = identities.as(identity, () => [identities.generateTraceId(), identities.generateSpanId()]);
  expect(taken).toEqual([identity.traceId, identity.spanId]);
  expect(identities.generateSpanId()).not.toBe(identity.spanId);
  expect(identities.generateTraceId()).not.toBe(identity.traceId);
});
