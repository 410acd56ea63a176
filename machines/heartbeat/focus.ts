/** What a heartbeat looks at: pure choices over the tasks that were read (docs/contract.md#heartbeats). */
import type { TaskRow, TaskStatus } from '../shared/mission-control.ts';

/** The statuses that an orchestrator's beat reads of the whole account, those of assignees that may stand still too. */
export const WATCHED_STATUSES: readonly TaskStatus[] = ['in_progress', 'review', 'assigned', 'blocked'];

/** How many tasks a beat reads: the orchestrator's list comes newest first, and the stalest are what matters. */
export const READ_TASKS = { agent: 12, orchestrator: 200 } as const;

/** How many of them an orchestrator is shown. */
const SHOWN_TASKS = 20;

/** Which statuses a beat looks at first. */
const FOCUS_ORDER: Record<'agent' | 'orchestrator', readonly TaskStatus[]> = {
  agent: ['in_progress', 'assigned'],
  orchestrator: ['in_progress', 'review', 'assigned'],
};

/** When anything last happened to a task, in milliseconds since the epoch. */
const lastTouched = (task: TaskRow): number => Math.max(task.updatedAt, task.lastMessageAt ?? 0);

const stalestFirst = (tasks: readonly TaskRow[]): TaskRow[] =>
  tasks.toSorted((a, b) => lastTouched(a) - lastTouched(b));

/**
 * The task that a beat is about: by status, and among equals the one that nobody has touched for longest.
 * @param seen the tasks that earlier beats were about, the latest last. A beat that says nothing touches nothing, so
 * the stalest task would be in focus for ever: each of the others comes first.
 */
export function focusTask(
  tasks: readonly TaskRow[],
  isOrchestrator: boolean,
  seen: readonly string[] = [],
): TaskRow | null {
  for (const status of FOCUS_ORDER[isOrchestrator ? 'orchestrator' : 'agent']) {
    const candidates = stalestFirst(tasks.filter((task) => task.status === status));
    const [first] = candidates.toSorted((a, b) => seen.lastIndexOf(a._id) - seen.lastIndexOf(b._id));
    if (first !== undefined) return first;
  }
  return null;
}

/** What a beat keeps of the tasks that it was about, for `seen` of the next ones. */
export const rememberFocus = (seen: readonly string[], focus: string | null): readonly string[] =>
  focus === null ? seen : [...seen.filter((id) => id !== focus), focus].slice(-READ_TASKS.orchestrator);

/** The tasks that a beat's prompt lists, and how many it leaves out. The orchestrator sees the stalest. */
export function shownTasks(
  tasks: readonly TaskRow[],
  isOrchestrator: boolean,
): { shown: readonly TaskRow[]; leftOut: number } {
  if (!isOrchestrator) return { shown: tasks, leftOut: 0 };
  const open = stalestFirst(tasks.filter(({ status }) => FOCUS_ORDER.orchestrator.includes(status)));
  return { shown: open.slice(0, SHOWN_TASKS), leftOut: Math.max(0, open.length - SHOWN_TASKS) };
}

const TASK_LINE = /\bTask ID:\s*([A-Za-z0-9;_-]+)/;

/** The task that a beat's text names, where it is one of those that the beat spoke of; else the focus task. */
export function namedTask(text: string, tasks: readonly TaskRow[], focus: TaskRow | null): TaskRow | null {
  const named = TASK_LINE.exec(text)?.[1];
  return tasks.find((task) => task._id === named) ?? focus;
}
