/** Listens to the machines and tells what they do in the words of wire.ts. It only looks: it can break no transition. */
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { childrenOf } from '../health/children.ts';
import { agentNames, isWhole, titleOf } from '../health/titles.ts';
import { edgesOf } from './edges.ts';
import { parentOf, pathOf } from './paths.ts';
import { timersOf } from './timers.ts';
import { actorView, isShown, machineOf, stateOf, type StateView } from './views.ts';
import type { ActorView, News, TimerView } from './wire.ts';

export interface TapOptions {
  root: AnyActorRef;
  since: (actor: AnyActorRef) => number | null;
  restarts: (id: string) => number;
  tell: (news: News) => void;
  /** An observer failed: it is left out of that one event. */
  onError: (error: unknown) => void;
}

export interface Tap {
  /** Begins to listen. @returns everything as it is now */
  attach(): ActorView[];
  detach(): void;
  /** Everything as it is now, while it listens. */
  actors(): ActorView[];
  /**
   * Reports the timers of actors that moved, and the actors that ended without an event. Cheap when nothing happened.
   */
  settle(): void;
}

interface Known {
  actor: AnyActorRef;
  state: StateView;
  timers: readonly TimerView[];
}

/** Titles of tasks that are remembered while nobody works on them. */
const TITLES_KEPT = 1_000;

export function createTap({ root, since, restarts, tell, onError }: TapOptions): Tap {
  const known = new Map<string, Known>();
  /** Actors whose timers may have changed. */
  const moved = new Map<string, AnyActorRef>();
  /** Actors that have ended, though their parent may still hold them. */
  const ended = new Set<string>();
  /** The senders of events that were not dealt with yet. */
  const senders = new WeakMap<object, WeakMap<AnyActorRef, AnyActorRef>>();
  /** Edges taken since the actor's last snapshot. */
  let edges = new WeakMap<AnyActorRef, string[]>();
  let subscription: { unsubscribe(): void } | null = null;

  /** Of sessions, by path. A task's title is known when its context was read, and stays known afterwards. */
  const titles = new Map<string, string>();

  const view = (actor: AnyActorRef, timers: readonly TimerView[]): ActorView =>
    actorView(actor, { since, restarts, timers, title: titles.get(pathOf(actor)) ?? null });

  /** @returns the title if it is new */
  function learnTitle(
    path: string,
    actor: AnyActorRef,
    agents: ReturnType<typeof agentNames>,
  ): string | null {
    const title = titleOf(actor, agents);
    const before = titles.get(path);
    if (title === null || title === before || (before !== undefined && !isWhole(title))) return null;
    titles.delete(path);
    titles.set(path, title);
    const [oldest] = titles.keys();
    if (titles.size > TITLES_KEPT && oldest !== undefined) titles.delete(oldest);
    return title;
  }

  const heard = {
    '@xstate.event'({ event, sourceRef, actorRef }: Heard<'@xstate.event'>): void {
      if (sourceRef === undefined) return;
      // An actor that crashed sends no more snapshots. Its parent hears of the crash and drops it.
      if (event.type.startsWith('xstate.error.actor.')) ended.add(pathOf(asActor(sourceRef)));
      const targets = senders.get(event) ?? new WeakMap<AnyActorRef, AnyActorRef>();
      senders.set(event, targets.set(asActor(actorRef), asActor(sourceRef)));
    },
    '@xstate.microstep'(step: Heard<'@xstate.microstep'>): void {
      const actor = asActor(step.actorRef);
      if (step._transitions.length === 0) return;
      edges.set(actor, [...(edges.get(actor) ?? []), ...edgesOf(step)]);
    },
    '@xstate.snapshot'({ actorRef, snapshot, event }: Heard<'@xstate.snapshot'>): void {
      const actor = asActor(actorRef);
      const taken = edges.get(actor) ?? [];
      edges.delete(actor);
      if (!isShown(actor)) return;
      const path = pathOf(actor);
      const before = known.get(path);
      const state = stateOf(snapshot);
      if (state.status === 'stopped') {
        if (before?.actor === actor) leave(path);
        return;
      }
      known.set(path, { actor, state, timers: before?.actor === actor ? before.timers : [] });
      moved.set(path, actor);
      if (state.status === 'active') ended.delete(path);
      else ended.add(path);
      if (before?.actor !== actor) {
        tell({ kind: 'actor', actor: view(actor, []) });
        return;
      }
      // A callback's life is its start and its end.
      if (machineOf(actor) === null) return;
      const changed = state.states.join() !== before.state.states.join();
      tell({
        kind: 'step',
        path,
        from: changed ? before.state.states : null,
        to: state.states,
        tags: state.tags,
        status: state.status,
        run: state.run,
        event: event.type,
        ...senderOf(senders.get(event)?.get(actor)),
        edges: taken,
      });
    },
  };

  function leave(path: string): void {
    known.delete(path);
    moved.delete(path);
    ended.delete(path);
    tell({ kind: 'gone', path });
  }

  function observe(event: InspectionEvent): void {
    try {
      if (event.type === '@xstate.snapshot') heard['@xstate.snapshot'](event);
      else if (event.type === '@xstate.microstep') heard['@xstate.microstep'](event);
      else if (event.type === '@xstate.event') heard['@xstate.event'](event);
    } catch (error) {
      // A throwing observer breaks the transition that it watches (XState 5.33).
      onError(error);
    }
  }

  function actors(): ActorView[] {
    return [...known.values()].map(({ actor, timers }) => view(actor, timers));
  }

  return {
    attach() {
      known.clear();
      const live = liveActors(root);
      const timers = timersOf(root, new Set(live.map(({ sessionId }) => sessionId)));
      const agents = agentNames(root);
      for (const actor of live) {
        learnTitle(pathOf(actor), actor, agents);
        const state = stateOf(actor.getSnapshot());
        known.set(pathOf(actor), { actor, state, timers: timers.get(actor.sessionId) ?? [] });
      }
      subscription = root.system.inspect(observe);
      return actors();
    },
    detach() {
      subscription?.unsubscribe();
      subscription = null;
      for (const memory of [known, moved, ended]) memory.clear();
      edges = new WeakMap();
    },
    actors,
    settle() {
      if (moved.size > 0) {
        const timers = timersOf(root, new Set([...moved.values()].map(({ sessionId }) => sessionId)));
        const agents = agentNames(root);
        for (const [path, actor] of moved) {
          const title = learnTitle(path, actor, agents);
          if (title !== null) tell({ kind: 'title', path, title });
          const one = known.get(path);
          const now = timers.get(actor.sessionId) ?? [];
          if (one === undefined || sameTimers(one.timers, now)) continue;
          known.set(path, { ...one, timers: now });
          tell({ kind: 'timers', path, timers: now });
        }
        moved.clear();
      }
      for (const path of ended) {
        const actor = known.get(path)?.actor;
        if (actor !== undefined && !isListed(actor)) leave(path);
      }
    },
  };
}

type Heard<T extends InspectionEvent['type']> = Extract<InspectionEvent, { type: T }>;

// XState types the actors of an inspection as little more than an id.
const asActor = (ref: unknown): AnyActorRef => ref as AnyActorRef;

function senderOf(sender: AnyActorRef | undefined): { by: string | null; call: string | null } {
  if (sender === undefined) return { by: null, call: null };
  if (isShown(sender)) return { by: pathOf(sender), call: null };
  const parent = parentOf(sender);
  const { src } = sender;
  return { by: parent && pathOf(parent), call: typeof src === 'string' ? src : sender.id };
}

/** The root and everything below it that is shown, parents first. */
function liveActors(actor: AnyActorRef): AnyActorRef[] {
  if (!isShown(actor)) return [];
  const children = Object.values(childrenOf(actor)).filter((child) => child !== undefined);
  return [actor, ...children.flatMap(liveActors)];
}

function isListed(actor: AnyActorRef): boolean {
  const parent = parentOf(actor);
  return parent === null || childrenOf(parent)[actor.id] === actor;
}

const sameTimers = (a: readonly TimerView[], b: readonly TimerView[]): boolean =>
  a.length === b.length && a.every(({ name, at }, i) => name === b[i]?.name && at === b[i].at);
