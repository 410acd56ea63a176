/** What follows when a call of a step fails: whose trouble it is decides whether the step rests or the row is given up. */
import { faultParams } from '../shared/fault.ts';
import { giveUp } from './giving-up.ts';

export const keepFault = { type: 'keepFault', params: faultParams } as const;

/** The functions of Convex behind the steps. */
export const FUNCTION = {
  read: 'getNotificationForDelivery',
  post: 'createMessageFromAgent',
  look: 'loadTaskDetailsForAgentTool',
  mark: 'markNotificationDelivered',
  complete: 'completeDelivery',
} as const;

type FunctionName = (typeof FUNCTION)[keyof typeof FUNCTION];

const report = <const TType extends string>(type: TType, name: FunctionName) =>
  ({
    type,
    params: ({ event }: { event: { error: unknown } }) => ({ ...faultParams({ event }), name }),
  }) as const;

export const passed = (name: FunctionName) => ({ type: 'reportFunctionPassed', params: { name } }) as const;

/** Convex is away, for all calls or for this function alone, or the journal is away. */
export const away = (name: FunctionName) =>
  [
    {
      guard: { type: 'backendAway', params: faultParams },
      target: 'resting',
      actions: [keepFault, report('reportFunctionAway', name)],
    },
    { guard: { type: 'journalAway', params: faultParams }, target: 'resting', actions: keepFault },
  ] as const;

/** Not this row's failure: Convex is away, or the function fails for different rows alike. The step waits. */
const sharedTrouble = (name: FunctionName) =>
  [
    ...away(name),
    {
      guard: { type: 'functionTroubled', params: { name } },
      target: 'resting',
      actions: [keepFault, report('reportFunctionFailed', name)],
    },
  ] as const;

const ownFailure = (name: FunctionName) =>
  ({
    target: 'resting',
    actions: [keepFault, 'countRowFailure', report('reportFunctionFailed', name)],
  }) as const;

/** A call of a step failed. A function that fails for this row alone is the row's own trouble: the step gives up in the end. */
export const stepFailed = <const TGiveUp extends object>(name: FunctionName, whenGivenUp: TGiveUp) =>
  [
    ...sharedTrouble(name),
    { guard: 'rowFailedTooOften', actions: keepFault, ...whenGivenUp },
    ownFailure(name),
  ] as const;

/** What follows a failed post. A note may be dropped: the row is marked without it. A reply is never dropped. */
export const postFailed = (name: FunctionName) =>
  [
    ...sharedTrouble(name),
    { guard: 'givenUp', target: '#notification.answering.marking', actions: keepFault },
    {
      guard: { type: 'textTooLong', params: faultParams },
      target: '#notification.answering.burying',
      actions: [keepFault, giveUp('textTooLong')],
    },
    {
      guard: 'rowFailedTooOften',
      target: '#notification.answering.burying',
      actions: [keepFault, giveUp('postFailed')],
    },
    ownFailure(name),
  ] as const;
