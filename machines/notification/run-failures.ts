/** What follows when a round of the agent fails: whose failure it is, and whether the row runs again. */
import { faultParams } from '../shared/fault.ts';
import { giveUp } from './giving-up.ts';
import { keepFault } from './step-failures.ts';

const reportRunFailed = { type: 'reportRunFailed', params: faultParams } as const;
const excuse = (paid: boolean) => ({ type: 'excuse', params: { paid } }) as const;

export const runFailed = [
  {
    guard: { type: 'gatewayTrouble', params: faultParams },
    target: 'resting',
    actions: [keepFault, excuse(false), { type: 'reportGateway', params: faultParams }],
  },
  {
    guard: { type: 'agentUnknownTooLong', params: faultParams },
    target: '#notification.parking',
    actions: [keepFault, excuse(false), giveUp('agentUnknown')],
  },
  {
    guard: { type: 'agentUnknown', params: faultParams },
    target: 'resting',
    actions: ['countUnknown', keepFault, excuse(false), { type: 'reportUnknown', params: faultParams }],
  },
  {
    guard: { type: 'permanent', params: faultParams },
    target: '#notification.parking',
    actions: [keepFault, giveUp('requestRejected')],
  },
  {
    guard: { type: 'gatewayBlamed', params: faultParams },
    target: 'resting',
    actions: [keepFault, excuse(true), reportRunFailed],
  },
  {
    guard: { type: 'lastAttempt', params: faultParams },
    target: '#notification.parking',
    actions: [keepFault, 'countAttempt', reportRunFailed, giveUp('attemptsSpent')],
  },
  {
    guard: { type: 'attempt', params: faultParams },
    target: 'resting',
    actions: [keepFault, 'countAttempt', reportRunFailed],
  },
  {
    guard: { type: 'limited', params: faultParams },
    target: 'resting',
    actions: [keepFault, excuse(false), { type: 'reportLimited', params: faultParams }],
  },
  // The journal did not take the entry, or the runtime itself gave the run up: not the row's failure.
  { target: 'resting', actions: [keepFault, excuse(false)] },
] as const;
