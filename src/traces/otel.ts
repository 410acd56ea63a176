/** The traces themselves, with OpenTelemetry. Only src/traces/open.ts loads this file. */
import { randomUUID } from 'node:crypto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { createCarrier, traceparentOf } from './carry.ts';
import { createExporter } from './exporter.ts';
import { Identities } from './identity.ts';
import { createObserver } from './observe.ts';
import type { TracesOptions } from './open.ts';
import { tellTrouble } from './tell.ts';
import type { Traces } from './traces.ts';

/** The time between two sends, in milliseconds. */
const SEND_EVERY_MS = 1_000;
/** How many spans may wait. Further ones are dropped. */
const MOST_WAITING = 2_048;
/** How long the last spans may take to go out at the end, in milliseconds. */
const LAST_MS = 1_000;

export function startTraces({ traces, proxy, accountId, version, redact, log }: TracesOptions): Traces {
  const identities = new Identities();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.instance.id': randomUUID(),
      'service.version': version,
      'mission_control.account.id': accountId,
      ...traces.resource,
      'service.name': traces.serviceName,
    }),
    // The id of the trace decides, so every process makes the same choice for one trace.
    sampler: new TraceIdRatioBasedSampler(traces.share),
    idGenerator: identities,
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: tellTrouble(createExporter(traces, proxy), traces, log),
        scheduledDelayMillis: SEND_EVERY_MS,
        maxQueueSize: MOST_WAITING,
      }),
    ],
  });
  const tracer = provider.getTracer('mission-control-runtime', version);
  const { observe, spanOf, spent } = createObserver({ tracer, identities, accountId, redact });
  const carrier = createCarrier(spanOf);
  log.info('traces.opened', `Traces go to ${traces.url} (${traces.setting})`, { url: traces.url });
  return {
    observe,
    carry: carrier.carry,
    traceparent: () => traceparentOf(carrier.current()),
    spent: (usage) => spent(carrier.current(), usage),
    close: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, LAST_MS);
        const over = (): void => {
          clearTimeout(timer);
          resolve();
        };
        provider.shutdown().then(over, over);
      }),
  };
}
