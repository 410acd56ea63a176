/** The closed set of state tags: what `/health`, the inspector and the tests read instead of state names. */
export const TAGS = ['starting', 'ready', 'busy', 'degraded', 'draining', 'attention', 'failed'] as const;

export type Tag = (typeof TAGS)[number];
