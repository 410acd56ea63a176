import type { Tag } from '../../../machines/shared/tags.ts';

/** How a state looks: its gravest tag, or `plain` without one. */
export type Tone = Tag | 'plain';

/** The gravest first. */
const BY_WEIGHT: readonly Tag[] = [
  'failed',
  'draining',
  'attention',
  'degraded',
  'starting',
  'busy',
  'ready',
];

export const toneOf = (tags: readonly Tag[]): Tone => BY_WEIGHT.find((tag) => tags.includes(tag)) ?? 'plain';
