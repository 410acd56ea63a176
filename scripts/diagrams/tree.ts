/** The whole runtime in one picture: which machine starts which, what follows on a crash, who tells whom what. */
import type { AnyStateMachine } from 'xstate';
import { machines } from '../../machines/index.ts';
import { CHILD_BUDGET, withDependants } from '../../machines/supervisor/policy.ts';
import { chartOf, type Chart, type Edge, type State, type Transition } from './chart.ts';

type MachineId = keyof typeof machines;

const registry: [string, AnyStateMachine][] = Object.entries(machines);

/**
 * Which machine sends each event that the supervisor hears. No chart shows that, because a machine sends to the parent
 * that it was given.
 */
export const SENDERS: Record<string, MachineId> = {
  'gateway.available': 'gateway',
  'gateway.trial': 'gateway',
  'gateway.lost': 'gateway',
  'gateway.suspected': 'notification',
  'run.succeeded': 'notification',
  'run.failed': 'notification',
  'agent.unknown': 'notification',
  'status.reported': 'statusReporter',
  'beat.due': 'heartbeat',
  'agents.synced': 'agentSync',
  'upgrade.requested': 'upgrade',
  'journal.available': 'journal',
  'extensions.asked': 'extensions',
  'queue.watched': 'extensions',
  'queue.unwatched': 'extensions',
  'queue.changed': 'extensions',
};

/** The supervisor's ways to pass something on, and whom they reach. */
const REACHES: Record<string, MachineId> = {
  tellHeartbeats: 'heartbeat',
  reconcileHeartbeats: 'heartbeat',
};

export function treeChart(): Chart {
  const starts = registry.flatMap(([id, machine]) =>
    startedBy(machine).map((child) => arrow(id, child, 'event', [])),
  );
  const children = registry.map(([id, machine]) => box(id, machine));
  return {
    id: 'tree',
    root: {
      ...EMPTY,
      id: 'runtime',
      key: 'runtime',
      kind: 'compound',
      description: ABOUT,
      children: [...children, health],
    },
    edges: [...starts, arrow('supervisor', 'health', 'event', []), ...messages()],
  };
}

const ABOUT =
  'One process. Solid: starts, watches and stops. Dashed: tells, by way of the supervisor. A child that is not well tells the supervisor.';

const EMPTY = {
  tags: [],
  initial: null,
  entry: [],
  exit: [],
  invokes: [],
  rows: [],
  children: [],
  inside: [],
};

const health: State = {
  ...EMPTY,
  id: 'health',
  key: 'health server',
  kind: 'atomic',
  description: 'Answers on the health port: started first, closed last. Not a machine.',
};

/** The machines of the registry that a machine has among its actors. */
const startedBy = (machine: AnyStateMachine): string[] =>
  Object.values(machine.implementations.actors).flatMap((actor) =>
    registry.filter(([, one]) => one === actor).map(([id]) => id),
  );

const box = (id: string, { root }: AnyStateMachine): State => ({
  ...EMPTY,
  id,
  key: id,
  kind: 'atomic',
  description: root.description ?? '',
  rows: [rule(id)],
});

const rule = (id: string): Transition => ({
  ...MESSAGE,
  from: id,
  kind: 'error',
  text: 'on a crash',
  actions: [afterCrash(id)],
});

function afterCrash(id: string): string {
  if (id === 'supervisor') return 'the process ends with 70';
  if (id === 'notification' || id === 'beat') return 'dropped, its row is looked at again';
  const [, ...others] = withDependants(id);
  const partners = others.length === 0 ? '' : ` with ${others.join(' and ')}`;
  return `started again${partners}, at most ${CHILD_BUDGET} times a minute`;
}

const MESSAGE = { to: null, event: '', index: 0, guard: null, actions: [] };

function arrow(from: string, to: string, look: Edge['look'], events: readonly string[]): Edge {
  const transitions = events.map((event): Transition => ({
    ...MESSAGE,
    from,
    to,
    event,
    kind: 'event',
    text: event,
  }));
  return { from, to, look, transitions };
}

/** What the supervisor passes on, from who says it to who hears it. */
function messages(): Edge[] {
  const told = relays().flatMap(({ event, to }) => {
    const from = SENDERS[event];
    return from === undefined || from === to ? [] : [{ from, to, event }];
  });
  const ways = Map.groupBy(told, ({ from, to }) => `${from} ${to}`);
  return [...ways.values()].flatMap(([first, ...rest]) =>
    first === undefined
      ? []
      : [
          arrow(
            first.from,
            first.to,
            'message',
            [first, ...rest].map(({ event }) => event),
          ),
        ],
  );
}

/** From the supervisor's own transitions: which event reaches which child. */
export function relays(): { event: string; to: string }[] {
  const { root } = chartOf(machines.supervisor);
  return [root, ...root.children].flatMap(({ rows }) =>
    rows.flatMap(({ event, to, actions }) => [
      ...(to !== null && event in SENDERS ? [{ event, to: machines.supervisor.id }] : []),
      ...actions.flatMap((action) => {
        const [name = '', ...words] = action.split(/[ ,]+/);
        const targets = name === 'tell' ? words.filter((word) => word in machines) : [REACHES[name]];
        return targets.flatMap((target) => (target === undefined ? [] : [{ event, to: target }]));
      }),
    ]),
  );
}
