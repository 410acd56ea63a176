import { ConvexClient } from 'convex/browser';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { WebSocket } from 'ws';
import type { WatchNews } from '../../machines/extensions/machine.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { ServiceAccess } from './client.ts';
import { functionFault } from './function-fault.ts';
import { extensions } from './functions.ts';

/** A longer message is refused. The value that we subscribe to has a few bytes. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const HANDSHAKE_TIMEOUT_MS = 30_000;

/**
 * Subscribes to the queue over Convex's sync protocol (docs/contract-extensions.md). The client restores a lost
 * connection by itself, after 1 s doubling to 16 s, or when it has heard nothing for a minute.
 *
 * @returns ends the subscription and its connection
 */
export function watchQueue(
  { url, accountId, serviceToken, proxy = null }: ServiceAccess,
  tell: (news: WatchNews) => void,
): () => void {
  const watch = { ended: false, live: false, signal: null as string | null };
  const open = new Set<WebSocket>();

  /**
   * The client throws at a message that it cannot follow. That would be an uncaught exception of the process, so the
   * socket is cut off instead and the subscription fails.
   */
  class Socket extends WebSocket {
    constructor(address: string) {
      super(address, {
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        maxPayload: MAX_MESSAGE_BYTES,
        ...(proxy !== null && { agent: new HttpsProxyAgent(proxy) }),
      });
      open.add(this);
    }
    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'close') open.delete(this);
      try {
        return super.emit(event, ...args);
      } catch (error) {
        this.terminate();
        const reason = error instanceof Error ? error.message : String(error);
        fail(new Fault('backendUnavailable', `Convex's sync protocol broke off: ${reason}`));
        return true;
      }
    }
  }

  const client = new ConvexClient(url, {
    // The option asks for the browser's class. The client uses what ws has in common with it.
    webSocketConstructor: Socket as unknown as typeof globalThis.WebSocket,
    skipConvexDeploymentUrlCheck: true,
    unsavedChangesWarning: false,
    logger: false,
  });

  function fail(fault: Fault): void {
    if (watch.ended) return;
    close();
    tell({ type: 'watch.failed', fault });
  }
  function close(): void {
    watch.ended = true;
    void client.close();
    // This also ends a socket that is still connecting.
    for (const socket of open) socket.terminate();
  }
  /**
   * The subscription is live when the socket is connected and has brought its value since; then `connectionRetries` is
   * 0 again.
   */
  function noteConnection(): void {
    if (watch.ended) return;
    const { isWebSocketConnected, connectionRetries } = client.connectionState();
    const live = watch.signal !== null && isWebSocketConnected && connectionRetries === 0;
    if (live === watch.live) return;
    watch.live = live;
    tell({ type: live ? 'watch.began' : 'watch.lost' });
  }

  client.subscribeToConnectionState(noteConnection);
  client.onUpdate(
    extensions.wakeUp,
    { accountId, serviceToken },
    (value) => {
      const signal = JSON.stringify(value);
      const changed = watch.live && signal !== watch.signal;
      watch.signal = signal;
      if (changed) tell({ type: 'queue.changed' });
      noteConnection();
    },
    (error) => fail(functionFault('wakeUp', error, serviceToken)),
  );
  return close;
}
