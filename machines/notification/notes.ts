import { chatterNote } from './chatter.ts';

/** Why a notification is given up. */
export const NOTE_REASONS = [
  'noReply',
  'attemptsSpent',
  'gatewayDied',
  'chatter',
  'agentUnknown',
  'requestRejected',
  'textTooLong',
  'postFailed',
  'unreadable',
] as const;

export type NoteReason = (typeof NOTE_REASONS)[number];

const WHAT_HAPPENED: Partial<Record<NoteReason, string>> = {
  noReply: 'gave no reply to the last message, although it was asked several times',
  gatewayDied:
    'could not work on the last message: the agent gateway went down each time, three times while it worked on this message alone',
  agentUnknown: 'is not known to the agent gateway, so the last message could not be handed over',
  requestRejected: 'could not take the last message: the agent gateway does not accept it as it is',
  textTooLong: 'wrote a reply that is too long for this thread',
};

const FAILED = 'could not work on the last message: every try ended with an error';

/** The note that stands in the thread for a notification that is given up: in the user's words, no internals. */
export function noteText(agentName: string, reason: NoteReason): string {
  if (reason === 'chatter') return chatterNote();
  return `${agentName} ${WHAT_HAPPENED[reason] ?? FAILED}. Please write again, or ask somebody else.`;
}
