/** A session as people know it. */
export interface Who {
  /** The agent's slug. */
  agent: string;
  /** The agent and its task, in one line: `engineer · Fix the login bug`. */
  title: string;
}

/** Characters of a title; a task's own title may be of any length. */
const LONGEST_TITLE = 90;

/** @param agent the agent's slug; @param what the task's title, or what else the session is about */
export const whoIs = (agent: string, what: string): Who => ({ agent, title: oneLine(`${agent} · ${what}`) });

function oneLine(text: string): string {
  const plain = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return plain.length > LONGEST_TITLE ? `${plain.slice(0, LONGEST_TITLE - 1)}…` : plain;
}
