/** The inspector as one part; loaded only where INSPECTOR=on (docs/adr). */
import type { AnyActorRef } from 'xstate';
import type { WhyAnswer } from '../stories/answer.ts';
import { loadAssets } from './assets.ts';
import { createInspectorServer } from './server.ts';
import { createWatch } from './watch.ts';
import type { CommandName, PastView, StatusView } from './wire.ts';

export interface InspectorOptions {
  host: string;
  /** 0 takes any free port. */
  port: number;
  root: AnyActorRef;
  since: (actor: AnyActorRef) => number | null;
  restarts: (id: string) => number;
  status: () => StatusView;
  past: () => PastView;
  why: (question: string) => Promise<WhyAnswer>;
  version: string;
  redact: (text: string) => string;
  command: (name: CommandName) => void;
  /** It failed and has closed itself. */
  onFailure: (error: unknown) => void;
}

export interface Inspector {
  url: string;
  /** Tells the viewers that the process leaves, and closes. */
  close(exitCode: number, reason: string): Promise<void>;
}

/** Rejects when it cannot listen. */
export async function startInspector(options: InspectorOptions): Promise<Inspector> {
  const { host, port } = options;
  let hasFailed = false;
  const fail = (error: unknown): void => {
    if (hasFailed) return;
    hasFailed = true;
    watch.end();
    void server.close();
    options.onFailure(error);
  };
  const watch = createWatch({ ...options, tell: (message) => server.hub.tell(message), onError: fail });
  const server = createInspectorServer({
    host,
    assets: await loadAssets(),
    redact: options.redact,
    greet: (lastId) => watch.greet(lastId),
    onLast: () => watch.linger(),
    command: options.command,
    why: options.why,
    onError: fail,
  });
  await new Promise<void>((resolve, reject) => {
    server.http.once('error', reject);
    server.http.listen(port, host, () => {
      server.http.off('error', reject).on('error', fail);
      resolve();
    });
  });
  const address = server.http.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/`,
    async close(exitCode, reason) {
      watch.leave(exitCode, reason);
      watch.end();
      await server.close();
    },
  };
}
