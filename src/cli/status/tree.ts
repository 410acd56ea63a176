/** The health report as a tree of machines, for a terminal. */
import { statePaths } from '../../health/state-paths.ts';
import type { Machine, Report } from './report.ts';

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'blue' | 'magenta' | 'gray' | 'bold';

export interface Look {
  /** Wall clock in milliseconds. */
  now: number;
  /** Where the report comes from. */
  url: string;
  paint: (colour: Colour, text: string) => string;
}

/** More heartbeats than this are counted by state. */
const HEARTBEATS_SHOWN = 10;

const STATUS_COLOURS: Record<Report['status'], Colour> = {
  healthy: 'green',
  degraded: 'yellow',
  starting: 'cyan',
  draining: 'magenta',
  failed: 'red',
};

/** The colour of each tag, the gravest first: a machine has the colour of its gravest tag. */
const TAG_COLOURS: readonly [tag: string, colour: Colour][] = [
  ['failed', 'red'],
  ['attention', 'red'],
  ['degraded', 'yellow'],
  ['draining', 'magenta'],
  ['starting', 'cyan'],
  ['busy', 'blue'],
  ['ready', 'green'],
];

/** A line of the tree: a machine, or how many more there are in which state. */
interface Branch {
  label: string;
  state: string;
  colour: Colour | null;
  notes: string;
  below: Branch[];
}

interface Row {
  label: string;
  branch: Branch;
}

export function statusLines(report: Report, look: Look): string[] {
  return [
    ...headLines(report, look),
    '',
    ...treeLines(treeOf(report, look.now), look),
    ...tokenLines(report, look),
    ...problemLines(report, look),
  ];
}

function headLines({ status, reason, uptime, versions, delivery }: Report, { paint, url }: Look): string[] {
  const { delivered, failed, parked, inFlight, queued, waiting } = delivery;
  const facts = [
    `up ${duration(uptime * 1_000)}`,
    `runtime ${versions.runtime}`,
    `OpenClaw ${versions.openclaw}`,
    url,
  ];
  return [
    `${paint(STATUS_COLOURS[status], `● ${status}`)}  ${reason}`,
    paint('gray', facts.join(' · ')),
    `delivered ${delivered} · failed ${failed} · parked ${parked} · in flight ${inFlight} · queued ${queued} · waiting ${waiting}`,
  ];
}

function treeOf({ machines, sessions }: Report, now: number): Branch[] {
  const branches = new Map(machines.map((machine) => [machine.id, branchOf(machine, now)]));
  const sessionBranches = [
    ...sessions.shown.map((session) => branchOf(session, now)),
    ...moreOf(sessions.rest),
  ];
  branches.get('delivery')?.below.push(...sessionBranches);
  const [supervisor] = machines;
  const isBeat = ({ id }: Machine): boolean => id.startsWith('heartbeat:');
  const beats = machines.filter(isBeat);
  const folded = beats.length > HEARTBEATS_SHOWN;
  const children = machines.slice(1).filter((machine) => !folded || !isBeat(machine));
  const root = supervisor && branches.get(supervisor.id);
  if (root === undefined) return [];
  root.below.push(
    ...children.flatMap(({ id }) => branches.get(id) ?? []),
    ...(folded ? [foldedBeats(beats)] : []),
    // While delivery is down there should be no sessions. A report that has some is shown as it is.
    ...(branches.has('delivery') ? [] : sessionBranches),
  );
  return [root];
}

const branchOf = (
  { id, title, value, tags, since, nextTimerAt, lastSignAt, until, restarts }: Machine,
  now: number,
): Branch => ({
  label: title ?? id,
  state: stateText(value),
  colour: TAG_COLOURS.find(([tag]) => tags.includes(tag))?.[1] ?? null,
  notes: [
    since === null ? '' : `for ${duration(now - since)}`,
    nextTimerAt === null ? '' : `next in ${duration(nextTimerAt - now)}`,
    lastSignAt === null ? '' : `last sign ${duration(now - lastSignAt)} ago`,
    until === null ? '' : `cut off in ${duration(until - now)}`,
    restarts === 0 ? '' : `restarted ${restarts} ${restarts === 1 ? 'time' : 'times'}`,
  ]
    .filter(Boolean)
    .join(', '),
  below: [],
});

/** The states of several regions, without the state that holds them all: `gate.open poll.waiting`. */
function stateText(value: Machine['value']): string {
  const inner = typeof value === 'object' ? Object.values(value) : [];
  const [only] = inner;
  const isHolder = inner.length === 1 && typeof only === 'object' && Object.keys(only).length > 1;
  return statePaths(isHolder ? only : value).join(' ');
}

function foldedBeats(beats: readonly Machine[]): Branch {
  const states = Map.groupBy(beats, ({ value }) => stateText(value));
  return {
    label: `${beats.length} heartbeats`,
    state: [...states].map(([state, all]) => `${all.length} ${state}`).join(', '),
    colour: beats.some(({ tags }) => tags.includes('degraded')) ? 'yellow' : 'green',
    notes: '',
    below: [],
  };
}

function moreOf(rest: Readonly<Record<string, number>>): Branch[] {
  const counts = Object.entries(rest);
  if (counts.length === 0) return [];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const state = counts.map(([name, count]) => `${count} ${name}`).join(', ');
  return [{ label: `${total} more sessions`, state, colour: null, notes: '', below: [] }];
}

function treeLines(branches: readonly Branch[], { paint }: Look): string[] {
  const rows = branches.flatMap((branch) => rowsOf(branch, '', ''));
  const width = Math.max(0, ...rows.map(({ label }) => label.length));
  const stateWidth = Math.max(
    0,
    ...rows.map(({ branch }) => branch.state.length).filter((n) => n <= MAX_COLUMN),
  );
  return rows.map(({ label, branch: { state, colour, notes } }) =>
    [
      label.padEnd(width),
      colour === null ? state.padEnd(stateWidth) : paint(colour, state.padEnd(stateWidth)),
      paint('gray', notes),
    ]
      .join('  ')
      .trimEnd(),
  );
}

/** The column of the notes. A longer state moves only its own notes to the right. */
const MAX_COLUMN = 48;

function rowsOf(branch: Branch, before: string, beforeChildren: string): Row[] {
  const last = branch.below.length - 1;
  return [
    { label: before + branch.label, branch },
    ...branch.below.flatMap((child, i) =>
      i === last
        ? rowsOf(child, `${beforeChildren}└─ `, `${beforeChildren}   `)
        : rowsOf(child, `${beforeChildren}├─ `, `${beforeChildren}│  `),
    ),
  ];
}

/** More agents than this are only counted. The report lists them. */
const AGENTS_SHOWN = 10;

function tokenLines({ tokens: { agents } }: Report, { paint }: Look): string[] {
  if (agents.length === 0) return [];
  const number = (value: number): string => value.toLocaleString('en-GB');
  const lines = agents.slice(0, AGENTS_SHOWN).map(({ agent, input, output, limit, rests }) => {
    const share =
      limit === null ? '' : `, ${Math.floor((100 * (input + output)) / limit)} % of ${number(limit)}`;
    const text = `${agent}: ${number(input)} in, ${number(output)} out${share}`;
    return rests ? paint('yellow', `${text}; rests until the next UTC day`) : text;
  });
  const more = agents.length - lines.length;
  return ['', paint('bold', 'tokens today'), ...lines, ...(more > 0 ? [`${more} more agents`] : [])];
}

function problemLines({ problems }: Report, { now, paint }: Look): string[] {
  if (problems.length === 0) return [];
  return [
    '',
    paint('bold', 'not well'),
    ...problems.map(({ source, title = source, problem, since, nextTryAt }) => {
      const times = [
        since === null ? '' : `for ${duration(now - since)}`,
        nextTryAt === null ? '' : `next try in ${duration(nextTryAt - now)}`,
      ].filter(Boolean);
      // The problem of a session or an agent already names it.
      const label = title === source ? `${paint('yellow', source)}: ` : '';
      return `${label}${problem} ${paint('gray', times.join(', '))}`.trimEnd();
    }),
  ];
}

const UNITS: readonly [name: string, ms: number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** @returns `2 h 5 min`: the two largest units; the clocks of two machines may differ, so nothing is below 0 s */
export function duration(ms: number): string {
  let left = Math.max(0, Math.round(ms / 1_000) * 1_000);
  const parts: string[] = [];
  for (const [name, unit] of UNITS) {
    const count = Math.floor(left / unit);
    left -= count * unit;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}
