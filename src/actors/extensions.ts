import { fromCallback, fromPromise } from 'xstate';
import type { WatchNews } from '../../machines/extensions/machine.ts';
import { faultOf } from '../../machines/shared/fault.ts';
import type { ServiceAccess } from '../mission-control/client.ts';
import type { MissionControl } from '../ports.ts';

export interface ExtensionsSurroundings {
  missionControl: Pick<MissionControl, 'askExtensions'>;
  access: ServiceAccess;
}

/** The I/O of the extensions machine: the question what the backend offers, and the subscription to its queue. */
export function createExtensionsActors({ missionControl, access }: ExtensionsSurroundings) {
  return {
    askExtensions: fromPromise<readonly string[]>(({ signal }) => missionControl.askExtensions(signal)),
    watchQueue: fromCallback<{ type: 'watch.stop' }, null>(({ sendBack }) =>
      watchQueueLater(access, sendBack),
    ),
  };
}

/** The client of the sync protocol is loaded where it is used: most backends have no queue to watch. */
function watchQueueLater(access: ServiceAccess, tell: (news: WatchNews) => void): () => void {
  let ended = false;
  let end = (): void => undefined;
  import('../mission-control/queue-watch.ts')
    .then(({ watchQueue }) => {
      if (!ended) end = watchQueue(access, tell);
    })
    .catch((error: unknown) => tell({ type: 'watch.failed', fault: faultOf(error) }));
  return () => {
    ended = true;
    end();
  };
}
