import type { Row } from '../../local/client.ts';
import { look } from '../status/look.ts';
import { countBefore } from './answer.ts';
import type { Agent } from './names.ts';

/** Why no reply is there yet, in one sentence: what the runtime says of itself, or where the message stands. */
export async function whyWaiting(
  healthUrl: string,
  ours: readonly Row[],
  rows: readonly Row[],
  agents: readonly Agent[],
): Promise<string> {
  const answer = await look([healthUrl]);
  if (answer.kind === 'none') {
    return `The runtime does not answer on ${healthUrl}: is npm run dev still running?`;
  }
  const { status, reason } = answer.report;
  if (status !== 'healthy') return `The runtime is ${status}: ${reason}`;
  const [row] = ours.filter(({ deliveredAt }) => deliveredAt === undefined);
  if (row === undefined) return 'The reply is on its way.';
  const who = agents.find(({ _id }) => _id === row.recipientId)?.slug ?? 'the agent';
  const before = countBefore(row, rows);
  if (before > 0)
    return `It waits behind ${before} older ${before === 1 ? 'message' : 'messages'} to @${who}.`;
  return row.readAt === undefined ? `@${who} has not begun yet.` : `@${who} is at work on it.`;
}
