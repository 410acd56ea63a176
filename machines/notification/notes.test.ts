import { expect, test } from 'vitest';
import { noteText, type NoteReason } from './notes.ts';

const REASONS: NoteReason[] = [
  'noReply',
  'attemptsSpent',
  'agentUnknown',
  'requestRejected',
  'runTimedOut',
  'runFailed',
  'textTooLong',
  'bug',
];

test.each(REASONS)('the note for %s is one short text in plain words', (reason) => {
  const note = noteText('Engineer', reason);
  expect(note).toMatch(/^Engineer .+\. Please write again, or ask somebody else\.$/);
  expect(note.length).toBeLessThan(250);
  expect(note).not.toMatch(/\b(?:HTTP|Convex|OpenClaw|timeout|null|undefined|50\d)\b/);
});
