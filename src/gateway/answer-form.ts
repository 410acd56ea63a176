/** So many bytes are enough to tell a stream of events from JSON. */
export const MIN_HEAD_BYTES = 8;

/**
 * The form of an answer, by its type. The first bytes decide where the type does not say, because proxies change it.
 */
export function formOf(type: string, head: string): 'stream' | 'json' | 'other' {
  if (type.startsWith('text/event-stream')) return 'stream';
  if (/^\uFEFF?\s*(?::|(?:data|event|id|retry)\s*:)/.test(head)) return 'stream';
  if (type === '' || type.startsWith('application/json')) return 'json';
  return /^\uFEFF?\s*\{/.test(head) ? 'json' : 'other';
}
