import type { AnyActorRef } from 'xstate';
import { machineSnapshot } from './children.ts';

/** More heartbeats than this are counted, not listed: the report stays small however many agents there are. */
export const HEARTBEATS_SHOWN = 50;

export const isHeartbeat = (actor: AnyActorRef | undefined): actor is AnyActorRef =>
  actor?.id.startsWith('heartbeat:') === true;

/** Its agent cannot be reached. */
export const isDegraded = (heartbeat: AnyActorRef): boolean =>
  machineSnapshot(heartbeat)?.hasTag('degraded') === true;

/** Those that matter most come first. */
export const heartbeatsShown = (heartbeats: readonly AnyActorRef[]): AnyActorRef[] =>
  heartbeats.toSorted((a, b) => Number(isDegraded(b)) - Number(isDegraded(a))).slice(0, HEARTBEATS_SHOWN);
