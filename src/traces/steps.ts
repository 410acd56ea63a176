/** What the actors that a notification or a heartbeat starts are called in a trace. */
import type { notificationActors } from '../../machines/notification/actors.ts';

export type Step =
  | 'read'
  | 'round'
  | 'call'
  | 'post'
  | 'look'
  | 'check'
  | 'mark'
  /** Both in one call, where the backend offers it. */
  | 'post and mark'
  | 'keep the reply'
  | 'end typing'
  | 'hand back'
  | 'report';

const OF_NOTIFICATION: Record<keyof typeof notificationActors, Step> = {
  readContext: 'read',
  runAgent: 'round',
  makeCall: 'call',
  endTyping: 'end typing',
  postMessage: 'post',
  findMessage: 'look',
  postAgain: 'post',
  keepDeadLetter: 'keep the reply',
  completeDelivery: 'post and mark',
  rereadRow: 'check',
  markDelivered: 'mark',
  handBack: 'hand back',
};

const OF_BEAT: Record<string, Step> = {
  planBeat: 'read',
  runBeat: 'round',
  postBeat: 'post',
  findBeat: 'look',
  keepDeadLetter: 'keep the reply',
  reportBeat: 'report',
};

const STEPS: Readonly<Record<string, Step>> = { ...OF_BEAT, ...OF_NOTIFICATION };

/** @param source the machine's name for the actor's logic. @returns null for any other logic */
export const stepOf = (source: unknown): Step | null =>
  typeof source === 'string' ? (STEPS[source] ?? null) : null;

/** Rounds and calls are within a run. */
export const isOfRun = (step: Step): step is 'round' | 'call' => step === 'round' || step === 'call';
