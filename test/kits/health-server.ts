/** What the tests of this folder share: a source with everything well, and a client that speaks raw bytes. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { startHttpServer } from '../../src/health/server.ts';
import type { Socket } from 'node:net';
import type { HealthReport } from '../../src/health/report.ts';
import type { HealthSource, WriteLog } from '../../src/health/app.ts';
import type { HttpServer } from '../../src/health/server.ts';

const HEALTHY: HealthReport = {
  status: 'healthy',
  reason: 'All is well.',
  problems: [],
  uptime: 12,
  versions: { runtime: '1.0.0', openclaw: '2026.1.1', node: process.version },
  infrastructure: { dropletId: 'unknown', ip: 'unknown', region: 'unknown' },
  gateway: {
    state: 'connected',
    url: 'http://127.0.0.1:18789',
    since: '2026-01-01T00:00:00.000Z',
    reason: null,
    nextTryAt: null,
    version: null,
    agents: null,
  },
  delivery: {
    delivered: 1,
    posted: 1,
    silent: 0,
    skipped: 0,
    chatter: 0,
    failed: 0,
    parked: 0,
    recentParks: [],
    pageExhausted: false,
    inFlight: 0,
    queued: 0,
    waiting: 0,
    consecutiveFailures: 0,
    lastErrorAt: null,
    lastErrorMessage: null,
    lastDeliveryAt: null,
    nextPollAt: null,
    wakeUp: 'connected',
    config: {
      intervalMs: 15_000,
      backoffBaseMs: 5_000,
      backoffMaxMs: 60_000,
      maxConcurrentSessions: 10,
      listLimit: 50,
      chainLimit: 12,
    },
  },
  heartbeat: { agents: 0, unreachable: 0, beats: 0, nextBeatAt: null },
  agentSync: {
    agents: 0,
    skipped: 0,
    missing: [],
    consecutiveFailures: 0,
    lastErrorMessage: null,
    lastSyncAt: null,
    nextSyncAt: null,
  },
  extensions: { functions: ['wakeUp'], reason: null },
  journal: { state: 'available', reason: null, nextTryAt: null, deadLetters: 0 },
  upgrade: {
    mode: 'exit',
    state: 'current',
    reason: null,
    targetOpenclawVersion: null,
    targetRuntimeVersion: null,
    requestedAt: null,
  },
  tokens: { day: '2026-11-29', agents: [], days: [] },
  memory: { rssBytes: 1, heapUsedBytes: 1, heapTotalBytes: 1, externalBytes: 1 },
  machines: [
    {
      id: 'gateway',
      title: null,
      value: { connected: 'steady' },
      tags: ['ready'],
      since: null,
      nextTimerAt: null,
      lastSignAt: null,
      until: null,
      run: null,
      restarts: 0,
    },
  ],
  sessions: { total: 0, shown: [], rest: {} },
};

export const reportWith = (change: Partial<HealthReport>): HealthReport => ({ ...HEALTHY, ...change });

export interface Started extends HttpServer {
  url: string;
  log: { level: string; event: string; message: string }[];
}

/** A server on a free port; `secret` is what its redaction takes out. */
export async function startTestServer(source: Partial<HealthSource> = {}): Promise<Started> {
  const entries: Started['log'] = [];
  const log: WriteLog = (level, event, message) => entries.push({ level, event, message });
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    source: {
      health: () => HEALTHY,
      version: () => HEALTHY.versions,
      metrics: () => Promise.resolve('up 1\n'),
      why: (question) => Promise.resolve({ kind: 'none', problem: `Nothing is known of ${question}.` }),
      live: () => true,
      ready: () => true,
      ...source,
    },
    redact: (text) => text.replaceAll('secret', '[redacted]'),
    log,
  });
  return { ...server, url: `http://127.0.0.1:${server.port}`, log: entries };
}

/** A connection whose errors (a reset is one way of being refused) are left to its 'close' event. */
export async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** All that comes back until the server closes the connection. */
export function readToEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}

/** Sends raw bytes and reads until the server closes the connection. */
export async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = await open(port);
  const answer = readToEnd(socket);
  socket.write(bytes);
  return answer;
}
