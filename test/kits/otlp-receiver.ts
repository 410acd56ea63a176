/** An OTLP receiver: it decodes what arrives with the definitions of the protocol, and remembers the spans. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import protobuf from 'protobufjs';
import * as v from 'valibot';
import { onTestFinished } from 'vitest';
import { until } from './until.ts';

const Value = v.union([
  v.pipe(
    v.object({ stringValue: v.string() }),
    v.transform(({ stringValue }) => stringValue),
  ),
  v.pipe(
    v.object({ intValue: v.union([v.number(), v.pipe(v.string(), v.transform(Number))]) }),
    v.transform(({ intValue }) => intValue),
  ),
  v.pipe(
    v.object({ doubleValue: v.number() }),
    v.transform(({ doubleValue }) => doubleValue),
  ),
  v.pipe(
    v.object({ boolValue: v.boolean() }),
    v.transform(({ boolValue }) => boolValue),
  ),
]);

const Attributes = v.pipe(
  v.optional(v.array(v.object({ key: v.string(), value: Value })), []),
  v.transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, value]))),
);

/** Nanoseconds since the epoch, to milliseconds. */
const Time = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform((nanoseconds) => Number(nanoseconds) / 1e6),
);

const Span = v.object({
  traceId: v.string(),
  spanId: v.string(),
  parentSpanId: v.optional(v.string(), ''),
  name: v.string(),
  startTimeUnixNano: Time,
  endTimeUnixNano: Time,
  attributes: Attributes,
  status: v.optional(
    v.object({ code: v.optional(v.union([v.string(), v.number()])), message: v.optional(v.string()) }),
    {},
  ),
});

const Request = v.object({
  resourceSpans: v.array(
    v.object({
      resource: v.object({ attributes: Attributes }),
      scopeSpans: v.array(v.object({ spans: v.array(Span) })),
    }),
  ),
});

type Attribute = string | number | boolean;

export interface ReceivedSpan extends Omit<
  v.InferOutput<typeof Span>,
  'startTimeUnixNano' | 'endTimeUnixNano'
> {
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  attributes: Record<string, Attribute>;
  resource: Record<string, Attribute>;
  isError: boolean;
}

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string;
  spans: ReceivedSpan[];
  requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[];
  /** What it does with the requests from now on; `take` at first. */
  behave(how: 'take' | 'hang' | { status: number }): void;
  /** Waits for a span. */
  spanWhen(what: string, matches: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan>;
  /** All spans of a trace, in the order of their beginnings; one that others are in comes before them. */
  trace(traceId: string): ReceivedSpan[];
  /** Goes away; `open` brings it back at the same address. */
  close(): Promise<void>;
  open(): Promise<void>;
}

export async function otlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: OtlpReceiver['requests'] = [];
  let how: Parameters<OtlpReceiver['behave']>[0] = 'take';
  let server: Server | null = null;
  let port = 0;

  async function open(): Promise<void> {
    server = createServer((request, response) => {
      void buffer(request).then((body) => {
        requests.push({ path: request.url ?? '', headers: request.headers, body });
        if (how === 'hang') return;
        if (how === 'take') spans.push(...decode(String(request.headers['content-type']), body));
        response.writeHead(how === 'take' ? 200 : how.status).end();
      });
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
    port = address.port;
  }

  async function close(): Promise<void> {
    const closing = server;
    if (closing === null) return;
    server = null;
    closing.closeAllConnections();
    closing.close();
    await once(closing, 'close');
  }

  await open();
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests,
    behave: (next) => void (how = next),
    spanWhen: (what, matches) => until(`A span comes of ${what}`, () => spans.find(matches)),
    trace: (traceId) => spans.filter((span) => span.traceId === traceId).toSorted(inOrder),
    close,
    open,
  };
}

const inOrder = (a: ReceivedSpan, b: ReceivedSpan): number =>
  a.from - b.from || b.to - a.to || Number(a.parentSpanId === b.spanId) - Number(b.parentSpanId === a.spanId);

const ExportTraceServiceRequest = protobuf
  .parse(readFileSync(join(import.meta.dirname, 'otlp.proto'), 'utf8'))
  .root.lookupType('ExportTraceServiceRequest');

function decode(type: string, body: Buffer): ReceivedSpan[] {
  const request: unknown =
    type === 'application/json' ? JSON.parse(body.toString('utf8')) : withHexIds(decodeProtobuf(body));
  return v.parse(Request, request).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ startTimeUnixNano: from, endTimeUnixNano: to, ...span }) => ({
        ...span,
        from,
        to,
        resource: resource.attributes,
        isError: span.status.code === 2 || span.status.code === 'STATUS_CODE_ERROR',
      })),
    ),
  );
}

const decodeProtobuf = (body: Buffer): unknown =>
  ExportTraceServiceRequest.toObject(ExportTraceServiceRequest.decode(body), { longs: String, bytes: Array });

/** Ids are bytes in protobuf, and hexadecimal in JSON. */
function withHexIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withHexIds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      /^(?:traceId|spanId|parentSpanId)$/.test(key)
        ? Buffer.from(inner as number[]).toString('hex')
        : withHexIds(inner),
    ]),
  );
}
