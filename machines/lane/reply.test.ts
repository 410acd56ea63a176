import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitMessage, MAX_MESSAGE_LENGTH, replyKind, type ReplyKind } from './reply.ts';

describe('replyKind (contract, section 9)', () => {
  test.each<[string, ReplyKind]>([
    ['Done, see the branch.', 'text'],
    ['HEARTBEAT_OK', 'nothingToSay'],
    ['  HEARTBEAT_OK\n', 'nothingToSay'],
    ['Loading context for heartbeat...\nHEARTBEAT_OK', 'nothingToSay'],
    ['Loading context for heartbeat...\n\nLoading context for heartbeat...\nHEARTBEAT_OK', 'nothingToSay'],
    ['HEARTBEAT_OK, and one more thing', 'text'],
    ['', 'noReply'],
    ['   \n', 'noReply'],
    ['NO_REPLY', 'noReply'],
    ['NO', 'noReply'],
    ['NO_', 'noReply'],
    ['No, that is wrong.', 'text'],
    ['Done. NO_REPLY', 'text'],
    ['No response from OpenClaw.', 'noReply'],
    ['No reply from agent.', 'noReply'],
    ['No response from agent.', 'noReply'],
    ['@engineer No reply from agent.', 'noReply'],
    ['@"Demo User" @qa No response from agent.', 'noReply'],
    ['No reply from agent. But I have one.', 'text'],
  ])('%j is %s', (text, kind) => {
    expect(replyKind({ text, toolCalls: 0 })).toBe(kind);
  });

  test('with tool calls, silence is not a missing reply', () => {
    expect(replyKind({ text: '', toolCalls: 1 })).toBe('nothingToSay');
    expect(replyKind({ text: 'NO_REPLY', toolCalls: 1 })).toBe('text');
    expect(replyKind({ text: 'HEARTBEAT_OK', toolCalls: 1 })).toBe('text');
  });
});

describe('fitMessage', () => {
  test('leaves alone what fits', () => {
    const text = 'x'.repeat(MAX_MESSAGE_LENGTH);
    expect(fitMessage(text)).toBe(text);
  });

  test('cuts what does not, says so, and never in the middle of a character', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), (shift) => {
        const fitted = fitMessage('x'.repeat(shift) + '\u{1f600}'.repeat(MAX_MESSAGE_LENGTH));
        expect(fitted.length).toBeLessThanOrEqual(MAX_MESSAGE_LENGTH);
        expect(fitted.length).toBeGreaterThan(MAX_MESSAGE_LENGTH - 3);
        expect(fitted.isWellFormed()).toBe(true);
        expect(fitted).toMatch(/too long for the thread and has been cut here\.\]$/);
      }),
      { numRuns: 20 },
    );
  });
});
