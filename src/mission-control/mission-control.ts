import type { OtherRuntimeSign } from '../../machines/other-runtime/machine.ts';
import type { MissionControl } from '../ports.ts';
import type { ToolService } from '../tools/service.ts';
import { createServiceClient } from './client.ts';
import type { CountCall, ServiceAccess } from './client.ts';
import { contractCalls } from './contract-calls.ts';
import { extensionCalls, type Offer } from './extension-calls.ts';
import { watchForOthers } from './others.ts';
import type { Malformed } from './parse.ts';
import { toolCalls } from './tool-calls.ts';
import { createTransport, type TransportOptions } from './transport.ts';

export interface MissionControlOptions extends ServiceAccess, TransportOptions {
  /** Told once of each row that was left out of a list. */
  onMalformed?: (detail: Malformed) => void;
  countCall?: CountCall;
  /** The name under which rows are lent to this runtime, the same after a restart; when absent, none are. */
  holder?: string;
  /** Told what the calls say of other runtimes on the account. */
  onOthers?: (sign: OtherRuntimeSign) => void;
  /** What the backend offers beyond the contract; nothing when absent. */
  offer?: Offer;
}

/** `tools`: what agents' tools call. `close` ends all connections; calls under way reject. */
export type MissionControlClient = MissionControl & { tools: ToolService; close(): Promise<void> };

/**
 * Mission Control over a Convex deployment's HTTP API. Calls are independent of each other and each is bounded in
 * time; nothing is retried here. All reject with a Fault: backendUnavailable, backendRefused, backendRejected,
 * aborted (the caller's signal), textTooLong (postMessage).
 * @throws TypeError when the URL is none
 */
export function createMissionControl(options: MissionControlOptions): MissionControlClient {
  const access = { ...options, url: options.url.replace(/\/+$/, '') };
  const transport = createTransport(access);
  const report = reportOnce(options.onMalformed ?? (() => undefined));
  const client = createServiceClient(access, transport, report, options.countCall);
  const plain = contractCalls(client);
  const onOthers = options.onOthers ?? (() => undefined);
  const calls = extensionCalls(client, {
    plain,
    offer: options.offer ?? NOTHING_OFFERED,
    holder: options.holder,
    onOthers: (others) => onOthers({ type: 'otherRuntime.counted', others }),
  });
  return {
    ...watchForOthers({ ...plain, ...calls }, onOthers),
    tools: toolCalls(client),
    close: () => transport.close(),
  };
}

const NOTHING_OFFERED: Offer = { has: () => false, failed: () => undefined };

/** How many malformed rows are remembered as told. */
const MAX_TOLD = 1000;

/** A malformed row is in every poll until somebody mends it. It is worth one line in the log, not four a minute. */
function reportOnce(onMalformed: (detail: Malformed) => void): (rows: Malformed[]) => void {
  const told = new Set<string>();
  return (rows) => {
    for (const row of rows) {
      const key = `${row.what}: ${row.problem}`;
      if (told.has(key)) continue;
      if (told.size >= MAX_TOLD) told.clear();
      told.add(key);
      onMalformed(row);
    }
  };
}
