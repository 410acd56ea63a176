import * as v from 'valibot';

const ready = v.object({
  event: v.literal('backend.ready'),
  url: v.string(),
  accountId: v.string(),
  serviceToken: v.string(),
  personToken: v.string(),
  tasks: v.array(v.object({ _id: v.string(), title: v.string() })),
});

/** The one line that the backend prints on standard output, when it can be called. */
export type BackendReady = v.InferOutput<typeof ready>;

/** @throws Error when the line is something else */
export const parseReady = (line: string): BackendReady =>
  v.parse(v.pipe(v.string(), v.parseJson(), ready), line);
