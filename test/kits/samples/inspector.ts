import type { ActorView, Entry, Picture, StatusView, Step } from '../../../src/inspector/wire.ts';

export const STATUS: StatusView = {
  status: 'healthy',
  reason: 'All is well.',
  problems: [],
  delivered: 0,
  failed: 0,
  parked: 0,
  inFlight: 0,
  queued: 0,
  runs: [],
};

export const actor = (path: string, changes: Partial<ActorView> = {}): ActorView => {
  const session = path.search(/\/(?:notification|beat):/);
  const cut = session === -1 ? path.lastIndexOf('/') : session;
  const id = path.slice(cut + 1);
  return {
    path,
    parent: cut === -1 ? null : path.slice(0, cut),
    id,
    title: null,
    machine: id.replace(/:.*/, ''),
    states: ['resting'],
    tags: ['ready'],
    status: 'active',
    run: null,
    since: 0,
    timers: [],
    restarts: 0,
    ...changes,
  };
};

export const picture = (actors: ActorView[], changes: Partial<Picture> = {}): Picture => ({
  epoch: 'e',
  seq: 0,
  at: 0,
  version: '1.0.0',
  actors,
  status: STATUS,
  past: { lines: {}, samples: [] },
  ...changes,
});

export const step = (seq: number, changes: Partial<Step & { at: number }> = {}): Entry => ({
  kind: 'step',
  seq,
  at: seq * 1_000,
  path: 'supervisor/gateway',
  from: ['resting'],
  to: ['degraded'],
  tags: ['degraded'],
  status: 'active',
  run: null,
  event: 'gateway.lost',
  by: 'supervisor',
  call: null,
  edges: [],
  ...changes,
});
