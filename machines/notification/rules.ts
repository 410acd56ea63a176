import type { DeliveryContext, NotificationRow } from '../shared/mission-control.ts';

/** Why a notification is marked delivered without a run (docs/contract.md#skip-rules). */
export type SkipReason = 'taskGone' | 'policy' | 'stale' | 'agentGone' | 'noSession';

const CHAT_LABEL = 'system:orchestrator-chat';

/** The first rule that says no, in the contract's order; null when the agent is to be run. */
export function skipReason(context: DeliveryContext): SkipReason | null {
  const { notification, task, agent } = context;
  if (notification.taskId !== undefined && task === null) return 'taskGone';
  if (!isWanted(context)) return 'policy';
  if (isStaleThreadUpdate(context)) return 'stale';
  if (agent === null) return 'agentGone';
  if (context.deliverySessionKey === undefined) return 'noSession';
  return null;
}

function isWanted(context: DeliveryContext): boolean {
  const { notification, task, orchestratorAgentId } = context;
  if (task?.labels.includes(CHAT_LABEL) === true && notification.recipientId !== orchestratorAgentId)
    return false;
  if (notification.type === 'thread_update') return isThreadUpdateWanted(context);
  if (notification.type === 'status_change') return isStatusChangeWanted(context);
  return true;
}

function isThreadUpdateWanted(context: DeliveryContext): boolean {
  const { notification, task, message, orchestratorAgentId, assignedAgents } = context;
  const recipient = notification.recipientId;
  if (task?.status === 'done' || task?.status === 'blocked') return false;
  if (message?.authorType !== 'agent') return true;
  const fromOrchestrator = message.authorId === orchestratorAgentId;
  const isReviewer = task?.status === 'review' && context.effectiveBehaviorFlags.canReviewTasks;
  const isAssignee = assignedAgents.some((agent) => agent.id === recipient);
  if (recipient === orchestratorAgentId) return !fromOrchestrator;
  // Two agents that answer each other's thread updates would never stop: only the orchestrator may start a round.
  if (context.sourceNotificationType === 'thread_update')
    return fromOrchestrator && (isAssignee || isReviewer);
  return isReviewer || isAssignee;
}

function isStatusChangeWanted({ notification, task, ...context }: DeliveryContext): boolean {
  if (task === null) return true;
  if (task.status === 'done' || task.status === 'blocked') return false;
  if (task.status !== 'review') return true;
  return (
    notification.recipientId === context.orchestratorAgentId || context.effectiveBehaviorFlags.canReviewTasks
  );
}

/** A newer message of a user is in the thread. The newer one's notification brings the agent the whole thread. */
function isStaleThreadUpdate({ notification, message, thread }: DeliveryContext): boolean {
  if (notification.type !== 'thread_update' || message?.authorType !== 'user') return false;
  return thread.some(
    (later) =>
      later.authorType === 'user' && later.createdAt > message.createdAt && later.messageId !== message._id,
  );
}

/** Whether somebody waits for the answer, whoever wrote. */
export const alwaysWantsAnswer = ({ type }: NotificationRow): boolean =>
  type === 'assignment' || type === 'mention' || type === 'response_request';

/** Whether an empty answer is a failure: somebody waits for it. */
export function mustAnswer({ notification, message }: DeliveryContext): boolean {
  if (alwaysWantsAnswer(notification)) return true;
  return notification.type === 'thread_update' && message?.authorType !== 'agent';
}

/** Whether the task moves to in_progress once its assignee has answered. */
export function startsTask({ notification, task, effectiveBehaviorFlags }: DeliveryContext): boolean {
  return (
    notification.type === 'assignment' &&
    task?.status === 'assigned' &&
    effectiveBehaviorFlags.canModifyTaskStatus
  );
}
