import type { AgentRow, TaskRow, ThreadMessage } from '../../machines/shared/mission-control.ts';
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
import { beatLine, toolRules, type ToolUse } from './prompt-tools.ts';
import { cut, oneLine } from './text.ts';

export interface Beat {
  agent: Pick<AgentRow, 'name' | 'slug' | 'role'>;
  tasks: readonly TaskRow[];
  /** The task to which a reply belongs that names no task. */
  focus: TaskRow | null;
  /** The focus task's messages, oldest first. */
  thread: readonly ThreadMessage[];
  isOrchestrator: boolean;
  /** How many tasks are left out of `tasks`; none when absent. */
  leftOut?: number;
}

/** What an agent is asked at a heartbeat. The input's last line is `Heartbeat of @<slug>`. */
export function buildBeatPrompt(beat: Beat, use: ToolUse = {}): Prompt {
  const { agent, tasks, focus, thread, isOrchestrator } = beat;
  const messages = thread
    .slice(-COUNT.beatMessages)
    .map((entry) => `${byline(entry)} ${oneLine(entry.content, SIZE.beatMessage)}`);
  const lines = tasks.map(taskLine);
  if (beat.leftOut) lines.push(`and ${beat.leftOut} more, touched later than these`);
  const sections = [
    repeatLine(use),
    section(isOrchestrator ? 'Tasks that you watch over' : 'Your tasks', lines.join('\n') || 'none'),
    focus && section('Focus task', describeTask(focus)),
    focus?.description && section('Focus task description', cut(focus.description, SIZE.document)),
    messages.length > 0 && section('Last messages of the focus task', messages.join('\n')),
    beatLine(agent.slug),
  ];
  const instructions = [
    whoYouAre(agent),
    isOrchestrator
      ? "This is your heartbeat: look over the account's tasks, find what is stuck or waits for a decision, and move it on."
      : 'This is your heartbeat: look at your tasks and take the next useful step.',
    focus
      ? `Text is posted to the focus task's thread (${focus._id}) exactly as it is. When it is about another task of the list, its first line must be "Task ID: <id of that task>".`
      : 'There is no focus task: the first line of any text must be "Task ID: <id of the task>", otherwise it is not posted.',
    QUOTE_RULE,
    canAct(use) ? toolRules(use.tools ?? []) : '',
    silenceRule('nothing to do or nothing new to tell'),
  ];
  return {
    instructions: instructions.filter(Boolean).join('\n'),
    input: sections.filter(Boolean).join('\n\n'),
  };
}
