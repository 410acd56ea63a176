import type { Agent } from './rows.ts';

/** The key of the agent's session (docs/contract.md#sessions). None is ever closed here, so all are of the first generation. */
export const sessionKeyOf = ({ slug, accountId }: Agent, taskId?: string): string =>
  `${taskId === undefined ? 'system' : `task:${taskId}`}:agent:${slug}:${accountId}:v1`;
