/** Words and times for people. */

/** Where in an actor's path what works at the head of a session begins. */
export const SESSION = /\/(?:notification|beat):/;

const two = (value: number): string => String(value).padStart(2, '0');

/** `14:02:10.123`, in local time. */
export function clockTime(at: number, millis = true): string {
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return millis ? `${time}.${String(date.getMilliseconds()).padStart(3, '0')}` : time;
}

/** `3.2 s`, `48 s`, `5 min`, `2 h`; never negative. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}

/** Leaves without the segments that all of them share: `gate.open · mode.accepting · poll.waiting`. */
export function stateText(states: readonly string[]): string {
  const paths = states.map((state) => state.split('.'));
  if (paths.length < 2) return states[0] ?? '';
  let shared = 0;
  while (paths.every((path) => path.length > shared + 1 && path[shared] === paths[0]?.[shared])) shared += 1;
  return paths.map((path) => path.slice(shared).join('.')).join(' · ');
}

/** XState's own events in words; the machines' own as they are. @param call the logic that it came from */
export function eventText(type: string, call: string | null): string {
  const [, what, rest = ''] =
    /^xstate\.(init|stop|after|done\.actor|done\.state|error\.actor)(?:\.(.*))?$/.exec(type) ?? [];
  switch (what) {
    case 'init':
      return 'start';
    case 'stop':
      return 'stop';
    case 'after':
      return `after ${rest.split('.')[0] ?? ''}`;
    case 'done.state':
      return `done: ${rest}`;
    case 'done.actor':
      return `done: ${call ?? rest}`;
    case 'error.actor':
      return `error: ${call ?? rest}`;
    default:
      return type;
  }
}

/** `waiting` of `active.poll.waiting`. */
export const lastOf = (state: string): string => state.slice(state.lastIndexOf('.') + 1);

/** The last part of a path, short; a session's keeps the slash of its key. */
export function nameOf(path: string | null): string {
  if (path === null) return 'outside';
  const session = path.search(SESSION);
  return shortId(session === -1 ? path.slice(path.lastIndexOf('/') + 1) : path.slice(session + 1));
}

/** A session's id holds two ids of Convex, of 32 characters each; their ends tell them apart. */
export const shortId = (id: string): string => id.replace(/\w{20,}(?=\/|$)/g, (part) => `…${part.slice(-6)}`);

export const count = (value: number): string => value.toLocaleString('en-GB');
