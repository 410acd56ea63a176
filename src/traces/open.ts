/** Opens the traces where an endpoint is set. Their trouble is only a line in the log, and the runtime goes on. */
import type { TracesConfig } from '../config/traces.ts';
import type { Log } from '../logging/log.ts';
import type { Traces } from './traces.ts';

export interface TracesOptions {
  traces: TracesConfig;
  /** The proxy on the way to the endpoint; null for none. */
  proxy: string | null;
  accountId: string;
  version: string;
  redact: (text: string) => string;
  log: Log;
}

/** OpenTelemetry is in a file of its own in dist/, which is read only here. @returns null where that fails */
export async function openTraces(options: TracesOptions): Promise<Traces | null> {
  try {
    const { startTraces } = await import('./otel.ts');
    return startTraces(options);
  } catch (error) {
    options.log.warn('traces.unavailable', 'The runtime goes on without traces: they could not be loaded', {
      error,
    });
    return null;
  }
}
