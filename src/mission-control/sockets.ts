import { WebSocket } from 'ws';
import { HttpsProxyAgent } from 'https-proxy-agent';

/** Convex refuses what is longer; what we subscribe to has some bytes. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const HANDSHAKE_TIMEOUT_MS = 30_000;

/** As much of a WebSocket as ConvexClient uses. */
interface ClientSocket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onerror: ((event: { message: string }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Sockets {
  /** For ConvexClient. */
  Socket: typeof globalThis.WebSocket;
  /** Cuts all of them off, also one that is still connecting. */
  close(): void;
}

/**
 * WebSockets for a ConvexClient that can be ended at any moment. The client throws at a message that it cannot follow,
 * which would be an uncaught exception of the process: here it is told to `onBroken`, and the socket is cut off.
 * @param proxy the proxy on the way; null for none
 */
export function createSockets(proxy: string | null, onBroken: (reason: string) => void): Sockets {
  const open = new Set<WebSocket>();

  function connect(url: string): ClientSocket {
    const socket = new WebSocket(url, {
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      ...(proxy !== null && { agent: new HttpsProxyAgent(proxy) }),
    });
    open.add(socket);
    const client: ClientSocket = {
      onopen: null,
      onmessage: null,
      onerror: null,
      onclose: null,
      send: (text) => socket.send(text),
      close: () => socket.close(),
    };
    const guarded = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        socket.terminate();
        onBroken(error instanceof Error ? error.message : String(error));
      }
    };
    socket.on('open', () => guarded(() => client.onopen?.()));
    socket.on('message', (data: Buffer) =>
      guarded(() => client.onmessage?.({ data: data.toString('utf8') })),
    );
    socket.on('error', ({ message }) => guarded(() => client.onerror?.({ message })));
    socket.on('close', (code, reason) => {
      open.delete(socket);
      guarded(() => client.onclose?.({ code, reason: reason.toString('utf8') }));
    });
    return client;
  }

  // ConvexClient's option asks for the browser's class; it uses what is in ClientSocket.
  const Socket = function (url: string) {
    return connect(url);
  } as unknown as typeof globalThis.WebSocket;
  return {
    Socket,
    close: () => {
      for (const socket of open) socket.terminate();
    },
  };
}
