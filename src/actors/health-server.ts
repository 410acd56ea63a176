import { fromCallback } from 'xstate';
import { startHttpServer } from '../health/server.ts';
import type { HealthSource, WriteLog } from '../health/app.ts';

export interface HealthServerOptions {
  host: string;
  port: number;
  source: HealthSource;
  redact: (text: string) => string;
  log: WriteLog;
}

/** The health port as an actor: says when it listens, cannot listen, or has closed; closes when it is stopped. */
export function createHealthServerActor(options: HealthServerOptions) {
  return fromCallback<{ type: 'health.close' }, null>(({ sendBack, receive }) => {
    const server = startHttpServer(options);
    server.then(
      ({ port }) => sendBack({ type: 'health.listening', port }),
      (error: unknown) => sendBack({ type: 'health.failed', reason: messageOf(error) }),
    );
    const close = async (): Promise<void> => {
      const listening = await server.catch(() => null);
      await listening?.close();
    };
    receive(() => void close().finally(() => sendBack({ type: 'health.closed' })));
    return () => void close();
  });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
