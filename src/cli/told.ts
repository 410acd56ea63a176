import * as v from 'valibot';

const refusal = v.object({ message: v.string() });

/** The sentence that a refusal of Mission Control carries as data; null for any other error. */
export function toldIn(error: Error): string | null {
  const told = 'data' in error ? v.safeParse(refusal, error.data) : null;
  return told?.success ? told.output.message : null;
}
