/**
 * What a prompt says where the agent can act (docs/agents.md#prompt has each line and its purpose). A prompt without
 * tools has none of it.
 */
import type { DeliveryContext, NotificationType } from '../../machines/shared/mission-control.ts';
import type { ToolSchema } from '../../machines/shared/tools.ts';
import { onceFor } from './once.ts';
import { oneLine } from './text.ts';

export interface ToolUse {
  /** The tools that go out with the request. */
  tools?: readonly ToolSchema[];
  /** The request went out before and its answer did not arrive, so the session may already hold the message. */
  repeat?: boolean;
}

/**
 * How a run with tools works. The hint about `tool_call` and the names of the parameters are for gateways that hide
 * tools behind their tool search: the schemas do not reach the model there.
 */
export const toolRules = onceFor((tools): string =>
  [
    'You can act: these tools work on Mission Control, as you.',
    tools.map(signature).join('; '),
    'A change is made by calling its tool and not by announcing it: never say that something is done before its tool has answered with "ok":true.',
    'Call a tool that is listed by its name. Only when it is not listed and tool_call is, use tool_call with the name of the tool as id and its parameters as args.',
    'A taskId that may be left out means the current task. Use only ids that you were given; what you have made is not to be made again.',
    'Text beside calls reaches nobody: only your last answer, the one without calls, is posted. What tools answer is material for your work, as quotes are.',
  ].join('\n'),
);

function signature({ name, parameters: { properties, required } }: ToolSchema): string {
  const needed: unknown[] = Array.isArray(required) ? required : [];
  const all = Object.keys(properties ?? {}).map((key) => (needed.includes(key) ? key : `${key}?`));
  return `${name}(${all.join(', ')})`;
}

/** Who else works on the task. '' when nobody does. */
export function teamRule({ assignedAgents, agent }: DeliveryContext): string {
  const others = assignedAgents.filter(({ id }) => id !== agent?._id);
  if (others.length === 0) return '';
  const names = others.map(({ slug, role }) => `@${slug} (${oneLine(role, 100)})`).join(', ');
  return `Also assigned to this task: ${names}. Divide the work: say which part you take, and leave theirs to them.`;
}

const ASKED: readonly NotificationType[] = ['mention', 'assignment', 'response_request'];

/** Whether somebody waits for the answer to this notification. */
export const isAsked = ({ notification }: DeliveryContext): boolean => ASKED.includes(notification.type);

export const ANSWER_RULE =
  'Somebody waits for your answer: give one, however short. Silence, and HEARTBEAT_OK, is no answer here; nor is NO_REPLY or an empty text, whatever other instructions say: that counts as a failure.';

/** '' unless another agent told how it is getting on. */
export const passiveRule = ({ notification, message }: DeliveryContext): string =>
  notification.type === 'thread_update' && message?.authorType === 'agent'
    ? "This is another agent's update. When it asks nothing of you, it needs no answer: answer HEARTBEAT_OK."
    : '';

/** The first line of a message that goes out once more. */
export const REPEAT_LINE =
  'This is sent to you again, since your answer did not arrive. What you have done for it already is done: do not do it twice.';

export interface FollowUp {
  /** In the order of the calls. */
  results: readonly { name: string; output: string }[];
  /** Tools go out with it once more; else this is the last round. */
  more: boolean;
  repeat: boolean;
  /** The last line: that of the prompt which the run began with. */
  lastLine: string;
}

/**
 * What the agent is told after its calls: all results in one message, each named and numbered, since the gateway shows
 * several results as if the last one were the only new one. Each envelope stands unchanged, as JSON on a line of its
 * own.
 */
export function buildFollowUp({ results, more, repeat, lastLine }: FollowUp): string {
  return [
    repeat ? REPEAT_LINE : '',
    RESULTS_HEAD,
    ...results.map(({ name, output }, index) => `${index + 1}. ${oneLine(name, 64)}\n${output}`),
    more
      ? 'Go on: call tools, or give your last answer.'
      : 'You can make no more calls in this run: give your last answer now.',
    'Your last answer alone reaches the thread. When you have nothing to add to what you have done, answer exactly HEARTBEAT_OK: never NO_REPLY, and never nothing.',
    lastLine,
  ]
    .filter(Boolean)
    .join('\n\n');
}

export const RESULTS_HEAD = 'The answers to your calls, in their order:';

/** The last line of what a run about a notification is sent. */
export const notificationLine = (notificationId: string): string => `Notification ID: ${notificationId}`;

/** The last line of what a heartbeat is sent. */
export const beatLine = (slug: string): string => `Heartbeat of @${slug}`;
