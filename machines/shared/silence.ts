import {
  besideHeartbeat,
  CUT_OFF_WORD,
  isOnlyWords,
  PLACEHOLDER,
  withoutInvisible,
  withoutLastWords,
} from './words-of-silence.ts';

/**
 * What an agent's reply amounts to (docs/contract.md#silence). `text` is what is posted: the reply without a word of
 * silence at its end. `silence`: the agent has nothing to say. `noReply`: it gave no answer.
 */
export type Meaning = { kind: 'text'; text: string } | { kind: 'silence' } | { kind: 'noReply' };

export interface Said {
  /** The text of the run's last round. */
  text: string;
  /** Whether tools were called in the run: an agent that has acted need not speak. */
  acted: boolean;
}

/** A heartbeat that says no more than this many characters beside HEARTBEAT_OK is still silent. */
const MAX_BEAT_REST = 300;

/** What a message's reply amounts to. */
export function meaningOfMessage({ text, acted }: Said): Meaning {
  const bare = withoutInvisible(text).trim();
  if (isOnlyWords(bare)) return /HEARTBEAT/i.test(bare) || acted ? SILENCE : NO_REPLY;
  if (bare === '' || CUT_OFF_WORD.test(bare) || PLACEHOLDER.test(bare)) return acted ? SILENCE : NO_REPLY;
  const rest = withoutLastWords(text);
  return { kind: 'text', text: rest ?? text };
}

/** What a heartbeat's reply amounts to. */
export function meaningOfBeat(said: Said): Meaning {
  const meaning = meaningOfMessage(said);
  if (meaning.kind !== 'text') return meaning;
  const rest = besideHeartbeat(said.text);
  if (rest === null) return meaning;
  return rest.trim().length <= MAX_BEAT_REST ? SILENCE : { kind: 'text', text: rest.trim() };
}

const SILENCE: Meaning = { kind: 'silence' };
const NO_REPLY: Meaning = { kind: 'noReply' };
