import { Cron } from 'croner';
import type { JSONValue } from 'convex/values';
import type { Modules } from './functions.ts';

type Schedule =
  | { type: 'interval'; seconds?: number; minutes?: number; hours?: number }
  | { type: 'hourly'; minuteUTC?: number }
  | { type: 'daily'; hourUTC: number; minuteUTC?: number }
  | { type: 'weekly'; dayOfWeek: string; hourUTC: number; minuteUTC?: number }
  | { type: 'monthly'; day: number; hourUTC: number; minuteUTC?: number }
  | { type: 'cron'; cron: string };

export interface CronJob {
  name: string;
  /** The function to run, and its encoded arguments. */
  path: string;
  args: JSONValue;
  /** @returns the first time after the given one; both in milliseconds since the epoch */
  next(after: number): number;
}

/** What crons.ts asks for. @throws Error when a schedule cannot be read */
export function readCrons(modules: Modules): CronJob[] {
  const crons = modules.get('crons')?.['default'];
  if (typeof crons !== 'object' || crons === null || !('export' in crons)) return [];
  const exported: unknown =
    typeof crons.export === 'function' ? Reflect.apply(crons.export, crons, []) : '{}';
  const jobs = JSON.parse(String(exported)) as Record<
    string,
    { name: string; args: [JSONValue]; schedule: Schedule }
  >;
  return Object.entries(jobs).map(([name, { name: path, args, schedule }]) => ({
    name,
    path,
    args: args[0],
    next: timesOf(name, schedule),
  }));
}

function timesOf(name: string, schedule: Schedule): (after: number) => number {
  if (schedule.type === 'interval') {
    const { seconds = 0, minutes = 0, hours = 0 } = schedule;
    return (after) => after + (seconds + minutes * 60 + hours * 3600) * 1000;
  }
  const cron = new Cron(patternOf(schedule), { timezone: 'UTC', paused: true });
  return (after) => {
    const next = cron.nextRun(new Date(after));
    if (next) return next.getTime();
    throw new Error(`The cron "${name}" has no next time.`);
  };
}

function patternOf(schedule: Exclude<Schedule, { type: 'interval' }>): string {
  if (schedule.type === 'cron') return schedule.cron;
  const minute = schedule.minuteUTC ?? 0;
  if (schedule.type === 'hourly') return `${minute} * * * *`;
  const time = `${minute} ${schedule.hourUTC}`;
  if (schedule.type === 'daily') return `${time} * * *`;
  return schedule.type === 'weekly'
    ? `${time} * * ${schedule.dayOfWeek.slice(0, 3)}`
    : `${time} ${schedule.day} * *`;
}
