import * as v from 'valibot';
import type { MissionControl } from '../ports.ts';
import type { ServiceClient } from './client.ts';
import { extensions } from './functions.ts';

const offer = v.object({ functions: v.array(v.string()) });

type ExtensionCalls = Pick<MissionControl, 'askExtensions'>;

export function extensionCalls(client: ServiceClient): ExtensionCalls {
  return {
    askExtensions: async (signal) =>
      (await client.probe(offer, extensions.capabilities, {}, signal))?.functions ?? [],
  };
}
