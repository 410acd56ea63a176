/** Remembers how the supervised machines were before the first viewer came: a few words for each change that shows. */
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { childrenOf } from '../health/children.ts';
import type { HealthStatus } from '../health/report.ts';
import { parentOf, pathOf } from './paths.ts';
import { extend, OVERALL, TIMELINE_MS, type Lines } from './segments.ts';
import { toneOf, toneOfStatus } from './tone.ts';
import { stateOf } from './views.ts';
import type { PastView, Sample } from './wire.ts';

/** Deliveries are counted in pieces of this length, in milliseconds. */
const SAMPLE_MS = 2_000;

export interface Past {
  observe: (event: InspectionEvent) => void;
  view(): PastView;
}

export interface PastOptions {
  root: AnyActorRef;
  /** When an actor entered the state that it is in; null where that is not known. */
  since: (actor: AnyActorRef) => number | null;
  /** The overall status, and how many notifications were delivered since the process began. */
  glance: () => { status: HealthStatus; delivered: number };
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** It begins with how the machines are now. */
export function createPast({ root, since, glance, now }: PastOptions): Past {
  const lines: Lines = new Map();
  const samples: Sample[] = [{ at: now(), delivered: 0 }];
  for (const actor of [root, ...Object.values(childrenOf(root))]) {
    if (actor === undefined) continue;
    const { tags, states } = stateOf(actor.getSnapshot());
    extend(lines, pathOf(actor), { from: since(actor) ?? now(), tone: toneOf(tags), states });
  }

  function sample(at: number, delivered: number): void {
    const last = samples.at(-1);
    if (last?.delivered === delivered) return;
    if (last !== undefined && samples.length > 1 && at - last.at < SAMPLE_MS) last.delivered = delivered;
    else samples.push({ at, delivered });
    while ((samples[0]?.at ?? at) < at - TIMELINE_MS) samples.shift();
  }

  return {
    observe(event) {
      if (event.type !== '@xstate.snapshot') return;
      // XState types the actors of an inspection as little more than an id.
      const actor = event.actorRef as unknown as AnyActorRef;
      const parent = parentOf(actor);
      const isRoot = parent === null;
      // Sessions come and go by the thousand: they are below delivery.
      if (!isRoot && parentOf(parent) !== null) return;
      const { status, tags, states } = stateOf(event.snapshot);
      const at = now();
      extend(lines, pathOf(actor), { from: at, tone: status === 'active' ? toneOf(tags) : null, states });
      if (!isRoot && actor.id !== 'delivery') return;
      const overall = glance();
      sample(at, overall.delivered);
      extend(lines, OVERALL, { from: at, tone: toneOfStatus(overall.status), states: [overall.status] });
    },
    view: () => ({
      lines: Object.fromEntries([...lines].map(([path, line]) => [path, [...line]])),
      samples: samples.map((one) => ({ ...one })),
    }),
  };
}
