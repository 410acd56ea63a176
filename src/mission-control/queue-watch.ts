import { ConvexClient } from 'convex/browser';
import type { WatchNews } from '../../machines/extensions/machine.ts';
import { Fault } from '../../machines/shared/fault.ts';
import type { ServiceAccess } from './client.ts';
import { functionFault } from './function-fault.ts';
import { extensions } from './functions.ts';
import { createSockets } from './sockets.ts';

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
  const sockets = createSockets(proxy, (reason) => {
    fail(new Fault('backendUnavailable', `Convex's sync protocol broke off: ${reason}`));
  });
  const client = new ConvexClient(url, {
    webSocketConstructor: sockets.Socket,
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
    sockets.close();
  }
  /** Connected, and every subscription has had its value since: `connectionRetries` goes back to 0 then. */
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
