import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { parseClientMessage } from './messages.ts';
import { createSession, type Session, type SyncSource } from './session.ts';

/** A client gives up a server that sends nothing for a minute. */
const PING_MS = 15_000;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** A client that does not read what it is sent is cut off. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024;
const PROTOCOL_ERROR = 1002;

export interface SyncServer {
  /** Cuts all clients off; they come back by themselves. */
  disconnect(): void;
  close(): void;
}

/**
 * Convex's sync protocol, at `/api/<version>/sync` of an HTTP server. A query is run again only when something that it
 * read was written, and its result is sent only when it changed.
 *
 * @param log told of a client that does not speak the protocol
 */
export function serveSync(
  server: Server,
  engine: SyncSource,
  log: (line: string) => void = () => undefined,
): SyncServer {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  const sessions = new Map<WebSocket, Session>();

  function greet(socket: WebSocket): void {
    const session = createSession(engine, (message) => {
      if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.terminate();
      else socket.send(JSON.stringify(message));
    });
    sessions.set(socket, session);
    const pinging = setInterval(() => socket.send(JSON.stringify({ type: 'Ping' })), PING_MS);
    socket.on('message', (data: Buffer) => {
      const message = parseClientMessage(data.toString('utf8'));
      if (message === null) socket.close(PROTOCOL_ERROR, 'This is no message of the sync protocol.');
      else session.receive(message);
    });
    socket.on('close', () => {
      clearInterval(pinging);
      sessions.delete(socket);
    });
    // What is wrong with a connection ends it, and 'close' follows.
    socket.on('error', ({ message }) =>
      log(`a client's connection is closed: it sent what is no frame (${message})`),
    );
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!isSync(request)) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, greet);
  });

  let isDue = false;
  engine.onCommit(({ touches }) => {
    for (const session of sessions.values()) session.note(touches);
    // Commits that come close together are told together.
    if (!isDue) setImmediate(flush);
    isDue = true;
  });
  function flush(): void {
    isDue = false;
    for (const session of sessions.values()) session.refresh();
  }
  const disconnect = (): void => {
    for (const socket of sessions.keys()) socket.terminate();
  };
  return {
    disconnect,
    close() {
      disconnect();
      sockets.close();
    },
  };
}

/** Keeps other web pages out. Browsers name the page's origin. */
const isSync = ({ url = '', headers: { origin, host } }: IncomingMessage): boolean =>
  /^\/api\/[\w.-]+\/sync$/.test(url) && (origin === undefined || origin === `http://${host ?? ''}`);
