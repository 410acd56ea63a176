/** How a state looks. Shared by the runtime, which remembers how its machines were, and the page. */
import type { Tag } from '../../machines/shared/tags.ts';
import type { HealthStatus } from '../health/report.ts';

/** A state's gravest tag, or `plain` without one. */
export type Tone = Tag | 'plain';

/** The gravest first. */
const BY_WEIGHT: readonly Tone[] = [
  'failed',
  'draining',
  'attention',
  'degraded',
  'starting',
  'busy',
  'ready',
];

export const toneOf = (tags: readonly Tone[]): Tone => BY_WEIGHT.find((tag) => tags.includes(tag)) ?? 'plain';

/** A machine at work changes between ready and busy: all of that is well. */
export const calm = (tone: Tone): Tone => (tone === 'busy' || tone === 'plain' ? 'ready' : tone);

const STATUS_TONE: Record<HealthStatus, Tone> = {
  healthy: 'ready',
  degraded: 'degraded',
  starting: 'starting',
  draining: 'draining',
  failed: 'failed',
};

export const toneOfStatus = (status: HealthStatus): Tone => STATUS_TONE[status];
