/** The surroundings of a runtime, one of each for a test; all of it goes when the test is over. */
import * as v from 'valibot';
import { onTestFinished } from 'vitest';
import { createDemoClient, type DemoClient } from '../../src/local/client.ts';
import { startBackend, type Backend, type BackendOptions } from '../../src/local/mission-control/spawn.ts';
import {
  startEchoGateway,
  type EchoGateway,
  type EchoGatewayOptions,
} from '../../src/local/echo-gateway/spawn.ts';

const Row = v.object({
  _id: v.string(),
  type: v.string(),
  recipientType: v.picklist(['user', 'agent']),
  recipientId: v.string(),
  taskId: v.optional(v.string()),
  readAt: v.optional(v.number()),
  deliveredAt: v.optional(v.number()),
  deliveryEndedAt: v.optional(v.number()),
});

export type Row = v.InferOutput<typeof Row>;

const Task = v.object({ _id: v.string(), title: v.string(), status: v.string() });

const Documents = v.object({ documents: v.array(v.object({ _id: v.string(), title: v.string() })) });

const Runtime = v.object({
  account: v.object({
    runtimeStatus: v.string(),
    runtimeConfig: v.optional(v.object({ lastHealthCheck: v.number(), openclawVersion: v.string() })),
  }),
});

type Runtime = v.InferOutput<typeof Runtime>;

/** Mission Control with a person in front of it. */
export interface MissionControl extends Backend, DemoClient {
  /** The rows of agents, oldest first. */
  agentRows(): Promise<Row[]>;
  listTasks(): Promise<v.InferOutput<typeof Task>[]>;
  createTask(task: { title: string; assignedAgentSlugs: string[] }): Promise<{ taskId: string }>;
  /** What an agent may do, and how often it has its heartbeat, in minutes. */
  setProfile(profile: {
    slug: string;
    heartbeatInterval?: number;
    behaviorFlags?: Record<string, boolean>;
  }): Promise<void>;
  documentsOf(taskId: string): Promise<v.InferOutput<typeof Documents>['documents']>;
  showRuntime(): Promise<Runtime['account']>;
  /** Trouble on command (src/local/mission-control/faults.ts). */
  setFault(rule: { mode: string; path?: string; count?: number; delayMs?: number }): Promise<void>;
}

/** The contract alone, or with what docs/contract-extensions.md adds to it. */
export type BackendKind = 'plain' | 'extended';

let kind: BackendKind = 'plain';

/** What `missionControl` starts from here on, in this file of tests. */
export function useBackend(next: BackendKind): void {
  kind = next;
}

/** The functions beyond the contract that do the work of one of its own: what befalls it befalls them. */
const DOES_ALSO: Record<string, readonly string[]> = {
  createMessageFromAgent: ['completeDelivery'],
  markNotificationDelivered: ['completeDelivery'],
  getNotificationForDelivery: ['beginDelivery', 'listWithContexts', 'leaseNotifications'],
  listUndeliveredNotifications: ['listWithContexts', 'leaseNotifications'],
};

/** The functions that a fault of this one befalls, by their paths. */
const alike = (path: string): string[] => [
  path,
  ...(DOES_ALSO[path.replace('service/actions:', '')] ?? []).map((name) => `service/extensions:${name}`),
];

export async function missionControl(options: BackendOptions = {}): Promise<MissionControl> {
  const backend = await startBackend({ faults: true, extensions: kind === 'extended', ...options });
  onTestFinished(() => backend.close());
  const person = createDemoClient({ ...backend, convexUrl: backend.url });
  return {
    ...backend,
    ...person,
    agentRows: async () =>
      v
        .parse(v.array(Row), await person.call('demo/actions:listNotifications', { limit: 1000 }))
        .filter(({ recipientType }) => recipientType === 'agent')
        .reverse(),
    listTasks: async () => v.parse(v.array(Task), await person.call('demo/actions:listTasks', {})),
    createTask: async (task) =>
      v.parse(v.object({ taskId: v.string() }), await person.call('demo/actions:createTask', task)),
    setProfile: async (profile) => {
      await person.call('demo/actions:setProfile', profile);
    },
    documentsOf: async (taskId) =>
      v.parse(Documents, await person.call('service/actions:listDocumentsForAgent', { taskId, limit: 100 }))
        .documents,
    showRuntime: async () => v.parse(Runtime, await person.call('demo/actions:showRuntime', {})).account,
    async setFault(rule) {
      for (const path of rule.path === undefined ? [undefined] : alike(rule.path)) {
        const answer = await fetch(`${backend.url}/__faults`, {
          method: 'POST',
          body: JSON.stringify({ ...rule, path }),
          headers: { 'Content-Type': 'application/json' },
        });
        if (!answer.ok) throw new Error(`The backend does not take the fault: ${await answer.text()}`);
      }
    },
  };
}

export async function echoGateway(options: EchoGatewayOptions = {}): Promise<EchoGateway> {
  const gateway = await startEchoGateway({ faults: true, ...options });
  onTestFinished(() => gateway.close());
  return gateway;
}

export const portOf = (server: { url: string }): number => Number(new URL(server.url).port);
