/** What delivery and its children say to each other. A child is a `notification` or a `beat`, at the head of its session. */
import type { Evidence } from './evidence.ts';
import type { SpentNews } from './spending.ts';
import type { StallNews } from './listening.ts';
import type { Who } from './who.ts';

/** The agent of a session, by id: a session's key is the agent and its task. */
export const agentIn = (session: string): string => session.split('/')[0] ?? session;

/** A child's news for delivery. `session` is the key of the child's session. */
export type ChildNews =
  | Evidence
  /** It is ready to run and waits for a slot. `alone`: for a time in which no other run is open. */
  | { type: 'slot.wanted'; session: string; who: Who; alone: boolean }
  | StallNews
  | SpentNews
  /** Its run is over: the slot is free. */
  | { type: 'slot.returned'; session: string }
  /** Its run was refused for now, and a wait was asked for. */
  | { type: 'run.limited'; session: string; who: Who; reason: string }
  /** It is in trouble for certain: nothing else has to fail before people are told. */
  | { type: 'session.troubled'; session: string; who: Who; reason: string }
  /** A function of Convex failed for its row. */
  | { type: 'function.failed'; session: string; who: Who; name: string; reason: string }
  /** Convex did not answer a function for its row, or refused it for now. `asksForWait`: it said for how long. */
  | { type: 'function.away'; session: string; who: Who; name: string; reason: string; asksForWait: boolean }
  /** A function that had failed for somebody worked. */
  | { type: 'function.passed'; session: string; name: string }
  /** It waits: with backoff before it repeats a run, or a call to Convex, or because agents answer each other too fast. */
  | {
      type: 'child.rested';
      session: string;
      before: 'run' | 'call' | 'read' | 'pace';
      reason: string | null;
    };

export type News<TType extends ChildNews['type']> = Extract<ChildNews, { type: TType }>;

/** What delivery tells a child. */
export type ChildOrder =
  /** The run may start. `trial`: the gateway is in doubt, and this run is to find out; its failure is not the child's. */
  | { type: 'slot.granted'; trial: boolean }
  /** The process drains: no new run begins, and what is under way finishes. */
  | { type: 'work.leave' }
  /** The time to finish is over. */
  | { type: 'work.abort' }
  /** Runs fail because of the gateway or its model provider: what fails now is not the child's failure. */
  | { type: 'gateway.excused'; ailing: boolean }
  /** The runs of its agent succeed again. */
  | { type: 'agent.available' }
  /** The gateway takes runs again. */
  | { type: 'gateway.available' }
  /** Convex answers again. */
  | { type: 'backend.available' }
  /** Its row has moved, or another one of its session waits. */
  | { type: 'row.stirred' }
  /** The journal can be written again. */
  | { type: 'journal.available' }
  /** These functions of Convex fail for different rows alike (`names`: that is no row's failure), or take no calls (`away`). */
  | { type: 'functions.troubled'; names: readonly string[]; away: readonly string[] }
  /** A function of Convex that did not take calls takes them again. */
  | { type: 'function.available' };

/** What the I/O of a round tells the machine: the gateway has sent something. */
export interface Sign {
  type: 'run.sign';
}
