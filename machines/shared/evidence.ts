import type { FaultKind } from './fault.ts';
import type { Who } from './who.ts';

/** What runs show about the gateway. The supervisor relays it to the machines that it concerns. */
export type Evidence =
  | { type: 'run.succeeded'; session: string }
  | { type: 'run.failed'; session: string; who: Who; kind: FaultKind; reason: string }
  | { type: 'gateway.suspected'; kind: FaultKind; reason: string; retryAfterMs: number }
  /** Its agents are not those of Mission Control: the list that it was handed may be old. */
  | { type: 'agent.unknown'; session: string; who: Who; reason: string };

/** Where the gate stands: open for all sessions, for one trial run at a time, or closed. */
export type Gate = 'open' | 'trial' | 'closed';

export type GateNews =
  | { type: 'gateway.available' }
  | { type: 'gateway.trial' }
  /**
   * `excused`: runs failed because of the gateway or its model provider, so their attempts do not count. `ailing`: it
   * answers all the while, so no run took it down.
   */
  | { type: 'gateway.lost'; excused: boolean; ailing?: boolean };
