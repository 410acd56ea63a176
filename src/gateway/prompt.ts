import type { DeliveryContext, MentionableAgent } from '../../machines/shared/mission-control.ts';
import {
  byline,
  canAct,
  COUNT,
  describeTask,
  QUOTE_RULE,
  repeatLine,
  section,
  silenceRule,
  SIZE,
  taskLine,
  whoYouAre,
  type Prompt,
} from './prompt-parts.ts';
import {
  ANSWER_RULE,
  isAsked,
  notificationLine,
  passiveRule,
  teamRule,
  toolRules,
  type ToolUse,
} from './prompt-tools.ts';
import { cut, oneLine, quote } from './text.ts';

/**
 * What an agent is asked about one notification. The message to answer is the last quoted block, the input's last
 * line is `Notification ID: <id>`: an agent that is asked twice, after a crash, can tell.
 */
export function buildPrompt(context: DeliveryContext, use: ToolUse = {}): Prompt {
  const { notification, task, message, repositoryDoc, globalBriefingDoc } = context;
  const sections = [
    repeatLine(use),
    task && section('Task', describeTask(task)),
    task?.description && section('Task description', cut(task.description, SIZE.document)),
    repositoryDoc && section('Repository', cut(repositoryDoc.content, SIZE.document)),
    globalBriefingDoc && section('Briefing', cut(globalBriefingDoc.content, SIZE.document)),
    context.taskOverview && section('Tasks of the account', describeOverview(context.taskOverview)),
    context.thread.length > 0 && section('Thread, oldest message first', describeThread(context)),
    section(`Notification (${notification.type})`, describeNotification(context)),
    message && section('Message to answer', cut(message.content, SIZE.body)),
    notificationLine(notification._id),
  ];
  return { instructions: instructionsFor(context, use), input: sections.filter(Boolean).join('\n\n') };
}

function instructionsFor(context: DeliveryContext, use: ToolUse): string {
  const { agent, task, primaryUserMention: person } = context;
  const acts = canAct(use);
  return [
    whoYouAre(agent),
    task
      ? `A notification of Mission Control reached you about the task with the id ${task._id}. Do what it asks of you in your role, then answer it. Your whole reply is posted to the task's thread exactly as it is: write to its readers, without preamble.`
      : 'A notification of Mission Control reached you. It belongs to no task, so that your reply is not posted anywhere.',
    acts ? teamRule(context) : '',
    mentionRule(context),
    person ? `The person to turn to is @"${oneLine(person.name, SIZE.name).replaceAll('"', "'")}".` : '',
    QUOTE_RULE,
    acts ? toolRules(use.tools ?? []) : '',
    'The last line of the input is the id of the notification. If you have done the work for this very id before, do not do it again: answer with its result.',
    acts ? passiveRule(context) : '',
    acts && isAsked(context) ? ANSWER_RULE : silenceRule('nothing to say'),
  ]
    .filter(Boolean)
    .join('\n');
}

function mentionRule(context: DeliveryContext): string {
  if (!context.effectiveBehaviorFlags.canMentionAgents) return 'You may not mention other agents.';
  const others = context.mentionableAgents.filter(({ id }) => id !== context.agent?._id);
  if (others.length === 0) return '';
  const list = others.slice(0, COUNT.mentionable).map(describeAgent).join('\n');
  return `A mention wakes an agent; mention one only when you need it:\n${list}`;
}

const describeAgent = ({ slug, name, role }: MentionableAgent): string =>
  `- @${slug}: ${oneLine(name, SIZE.name)}, ${oneLine(role, SIZE.name)}`;

const describeNotification = ({ notification }: DeliveryContext): string =>
  [oneLine(notification.title, SIZE.title), cut(notification.body, SIZE.body)].filter(Boolean).join('\n');

/** Contents are quoted once more, so that none can pose as the byline of another message. */
function describeThread({ thread, message }: DeliveryContext): string {
  return thread
    .slice(-COUNT.messages)
    .map((entry) =>
      entry.messageId === message?._id
        ? `${byline(entry)} (the message to answer, below)`
        : `${byline(entry)}\n${quote(cut(entry.content, SIZE.message))}`,
    )
    .join('\n\n');
}

function describeOverview({ totals, topTasks }: NonNullable<DeliveryContext['taskOverview']>): string {
  return [
    totals.map(({ status, count }) => `${status}: ${count}`).join(', '),
    ...topTasks.flatMap(({ tasks }) =>
      tasks.map(({ taskId, ...task }) => taskLine({ _id: taskId, ...task })),
    ),
  ].join('\n');
}
