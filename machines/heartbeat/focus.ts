import type { TaskRow, TaskStatus } from '../shared/mission-control.ts';

/** Which statuses a beat looks at first (docs/contract.md#heartbeats). */
const FOCUS_ORDER: Record<'agent' | 'orchestrator', readonly TaskStatus[]> = {
  agent: ['in_progress', 'assigned'],
  orchestrator: ['in_progress', 'review', 'assigned'],
};

/** The task that a beat is about: the first by status, and among equals the one that was untouched for longest. */
export function focusTask(tasks: readonly TaskRow[], isOrchestrator: boolean): TaskRow | null {
  for (const status of FOCUS_ORDER[isOrchestrator ? 'orchestrator' : 'agent']) {
    const [first] = tasks
      .filter((task) => task.status === status)
      .sort((a, b) => lastTouched(a) - lastTouched(b));
    if (first !== undefined) return first;
  }
  return null;
}

const lastTouched = (task: TaskRow): number => Math.max(task.updatedAt, task.lastMessageAt ?? 0);

const TASK_LINE = /\bTask ID:\s*([A-Za-z0-9;_-]+)/;

/** The task that the reply to a beat names, if the beat showed that task; else the focus task. */
export function namedTask(text: string, tasks: readonly TaskRow[], focus: TaskRow | null): TaskRow | null {
  const named = TASK_LINE.exec(text)?.[1];
  return tasks.find((task) => task._id === named) ?? focus;
}
