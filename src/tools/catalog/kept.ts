import * as v from 'valibot';

const Kept = v.object({
  ok: v.literal(true),
  data: v.object({
    taskId: v.optional(v.string()),
    messageId: v.optional(v.string()),
    documentId: v.optional(v.string()),
  }),
});

/** What finished calls of a run made or touched, by id. @param envelopes their answers, as JSON texts */
export function keptIds(envelopes: readonly string[] = []): Set<string> {
  return new Set(
    envelopes.flatMap((envelope) => {
      const read = v.safeParse(Kept, parsed(envelope));
      if (!read.success) return [];
      const { taskId, messageId, documentId } = read.output.data;
      return [taskId, messageId, documentId].filter((id) => id !== undefined);
    }),
  );
}

/** undefined for a text that is not JSON, which a journal of another version may hold. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
