import { NO_LIMITS } from '../../machines/shared/spending.ts';
import { createListener } from './samples/mission-control.ts';
import type { DeliveryInput, DeliveryNews, DeliverySettings } from '../../machines/delivery/context.ts';

type Changes = Partial<Omit<DeliveryInput, 'settings'>> & { settings?: Partial<DeliverySettings> };

/** What delivery starts with: an open gate, no wake-up, two slots, and waits without a random part. */
export const deliveryInput = ({ settings, ...changes }: Changes = {}): DeliveryInput => ({
  parent: createListener<DeliveryNews>().parent,
  gate: 'open',
  watched: false,
  offerKnown: true,
  random: () => 0.5,
  spent: () => [],
  now: () => 0,
  moment: () => ({ boot: 'boot', ms: 0 }),
  ...changes,
  settings: {
    intervalMs: 15_000,
    backend: { baseMs: 1_000, capMs: 8_000 },
    runs: { baseMs: 1_000, capMs: 8_000 },
    maxConcurrentSessions: 2,
    stallAfterMs: 300_000,
    tokenLimits: NO_LIMITS,
    listLimit: 2,
    chainLimit: 12,
    ...settings,
  },
});
