import { expect, test } from 'vitest';
import { NOTE_REASONS, noteText } from './notes.ts';

test.each(NOTE_REASONS)('the note for %s is one short text in plain words', (reason) => {
  const note = noteText('Engineer', reason);
  // Agents that answer each other need nobody else: a person's message goes on with it.
  if (reason !== 'chatter')
    expect(note).toMatch(/^Engineer .+\. Please write again, or ask somebody else\.$/);
  expect(note).toMatch(/^[A-Z].+\.$/);
  expect(note.length).toBeLessThan(250);
  expect(note).not.toMatch(/\b(?:HTTP|Convex|OpenClaw|timeout|null|undefined|50\d)\b/);
});
