/** The actor tree as the rows of a list: what is folded, what is searched for. No DOM here. */
import { toneOf, type Tone } from '../tone.ts';
import type { ActorView } from '../wire.ts';
import { count, lastOf } from './format.ts';

/** `over`: it has ended. */
type NodeTone = Tone | 'over';

interface ActorNode {
  kind: 'actor';
  key: string;
  level: number;
  actor: ActorView;
  /** null where there is nothing to fold. */
  isOpen: boolean | null;
  /** Its own tone; while it is folded, the gravest tone of everything in it. */
  tone: NodeTone;
}

/** Many of a kind under one parent, folded into one row. */
export interface GroupNode {
  kind: 'group';
  key: string;
  level: number;
  name: string;
  total: number;
  /** How many are in which state, the most first. */
  counts: [state: string, count: number][];
  isOpen: boolean;
  /** The gravest tone of everything in it. */
  tone: NodeTone;
}

export type TreeNode = ActorNode | GroupNode;

/** Machines of which there are many, and what a group of them is called. */
const MANY: Readonly<Record<string, string>> = {
  notification: 'notifications',
  beat: 'beats',
  heartbeat: 'heartbeats',
};

/** @param toggled keys of nodes that are not as they are at first: groups folded, all others open */
export function treeRows(
  actors: ReadonlyMap<string, ActorView>,
  toggled: ReadonlySet<string>,
  search: string,
): TreeNode[] {
  const children = Map.groupBy(actors.values(), ({ parent }) => parent);
  const query = search.trim().toLowerCase();
  const rows: TreeNode[] = [];

  const matches = (actor: ActorView): boolean =>
    query === '' || textOf(actor).includes(query) || (children.get(actor.path) ?? []).some(matches);

  const within = (actor: ActorView): ActorView[] => [
    actor,
    ...(children.get(actor.path) ?? []).flatMap(within),
  ];

  function walk(parent: string | null, level: number): void {
    const groups = Map.groupBy((children.get(parent) ?? []).filter(matches), ({ machine }) =>
      machine !== null && Object.hasOwn(MANY, machine) ? machine : '',
    );
    for (const actor of groups.get('') ?? []) {
      const hasChildren = children.has(actor.path);
      const isOpen = hasChildren ? query !== '' || !toggled.has(actor.path) : null;
      const tone = worstOf(isOpen === false ? within(actor) : [actor]);
      rows.push({ kind: 'actor', key: actor.path, level, actor, isOpen, tone });
      if (isOpen === true) walk(actor.path, level + 1);
    }
    for (const [machine, members] of groups) {
      if (machine !== '') addGroup(`${parent ?? ''}/${machine}*`, machine, members, level);
    }
  }

  function addGroup(key: string, machine: string, members: readonly ActorView[], level: number): void {
    const isOpen = query !== '' || toggled.has(key);
    const byState = Map.groupBy(members, ({ states }) => states.map(lastOf).join(' · '));
    const counts = [...byState].map(([state, some]): [string, number] => [state, some.length]);
    counts.sort(([, a], [, b]) => b - a);
    rows.push({
      kind: 'group',
      key,
      level,
      name: MANY[machine] ?? machine,
      total: members.length,
      counts,
      isOpen,
      tone: worstOf(members),
    });
    if (!isOpen) return;
    for (const actor of members) {
      rows.push({
        kind: 'actor',
        key: actor.path,
        level: level + 1,
        actor,
        isOpen: null,
        tone: worstOf([actor]),
      });
    }
  }

  walk(null, 0);
  return rows;
}

/** An actor that has ended does not count, unless it crashed. */
const worstOf = (actors: readonly ActorView[]): NodeTone => {
  const live = actors.filter(({ status }) => status === 'active' || status === 'error');
  if (live.length === 0) return 'over';
  return toneOf(live.map(({ status, tags }) => (status === 'error' ? 'failed' : toneOf(tags))));
};

const textOf = ({ id, title, states, tags }: ActorView): string =>
  `${id} ${title ?? ''} ${states.join(' ')} ${tags.join(' ')}`.toLowerCase();

export const countsText = ({ counts }: GroupNode): string =>
  counts.map(([state, total]) => `${state} ${count(total)}`).join(' · ');
