import { fromCallback, fromPromise } from 'xstate';
import type { WatchNews } from '../../machines/extensions/machine.ts';
import type { MissionControl } from '../ports.ts';

export interface ExtensionsSurroundings {
  missionControl: Pick<MissionControl, 'askExtensions'>;
  /** Subscribes to the queue; @returns how to end that */
  watchQueue: (tell: (news: WatchNews) => void) => () => void;
}

/** The I/O of the extensions machine: the question what the backend offers, and the subscription. */
export function createExtensionsActors({ missionControl, watchQueue }: ExtensionsSurroundings) {
  return {
    askExtensions: fromPromise<readonly string[]>(({ signal }) => missionControl.askExtensions(signal)),
    watchQueue: fromCallback<{ type: 'watch.stop' }, null>(({ sendBack }) => watchQueue(sendBack)),
  };
}
