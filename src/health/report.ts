/**
 * What `GET /health` answers. An allow-list: only what is named here leaves the process.
 * All times are ISO 8601 in UTC, or null for "never" and "none".
 */
import type { StateValue } from 'xstate';
import type { Tag } from '../../machines/shared/tags.ts';

export type HealthStatus = 'healthy' | 'degraded' | 'starting' | 'draining' | 'failed';

export type Timestamp = string | null;

interface Versions {
  runtime: string;
  openclaw: string;
  node: string;
}

interface Infrastructure {
  dropletId: string;
  ip: string;
  region: string;
}

export interface GatewayReport {
  state: 'disabled' | 'probing' | 'connected' | 'degraded' | 'refused' | 'waiting' | 'ailing' | 'down';
  /** Without credentials; null when no gateway is configured. */
  url: string | null;
  since: Timestamp;
  reason: string | null;
  nextTryAt: Timestamp;
  version: string | null;
  /** Agents that the gateway knows; null until it was asked. */
  agents: number | null;
}

/**
 * How delivery learns of new rows. off: WAKE_UP is off; absent: the backend does not offer it; asking, connecting,
 * reconnecting, unsure, refused: on its way, and polled meanwhile; connected: told at once; down: crashed.
 */
export type WakeUp =
  'off' | 'absent' | 'asking' | 'connecting' | 'connected' | 'reconnecting' | 'unsure' | 'refused' | 'down';

interface DeliveryConfig {
  intervalMs: number;
  backoffBaseMs: number;
  backoffMaxMs: number;
  maxConcurrentSessions: number;
  listLimit: number;
  chainLimit: number;
}

export interface DeliveryReport {
  /** Counts since this process began: rows brought to their end, runs that failed, rows given up. */
  delivered: number;
  /** Of them: replies in their threads, runs after which the agent had nothing to say, and rows that a rule left out. */
  posted: number;
  silent: number;
  skipped: number;
  /** Rows that are held because agents only answer each other. */
  chatter: number;
  failed: number;
  parked: number;
  /** The last rows that were given up, newest last. */
  recentParks: { at: Timestamp; reason: string }[];
  /** Levels right now: runs that are open, and what this process has in its queue, heartbeats included. */
  inFlight: number;
  queued: number;
  /** Notifications that Mission Control has and nobody has answered, those in work included, whatever the gate does. */
  waiting: number;
  /** Even the largest page is full of rows that cannot go now, so newer rows are not seen yet. */
  pageExhausted: boolean;
  consecutiveFailures: number;
  lastErrorAt: Timestamp;
  lastErrorMessage: string | null;
  lastDeliveryAt: Timestamp;
  nextPollAt: Timestamp;
  wakeUp: WakeUp;
  config: DeliveryConfig;
}

export interface HeartbeatReport {
  /** Agents that have a heartbeat of their own. */
  agents: number;
  /** Agents that could not be reached at their last beat. */
  unreachable: number;
  /** Beats since this process began. */
  beats: number;
  nextBeatAt: Timestamp;
}

export interface AgentSyncReport {
  /** Agents of the account at the last sync. */
  agents: number;
  /** Agents left out because their slug cannot be used. */
  skipped: number;
  /** Slugs of agents that the gateway did not know when it was last asked. */
  missing: readonly string[];
  consecutiveFailures: number;
  lastErrorMessage: string | null;
  lastSyncAt: Timestamp;
  nextSyncAt: Timestamp;
}

/** One thing that is not well, from the child that says so. */
export interface ProblemReport {
  /** The machine, or whose trouble it is: `gateway`, `session:<key>` (its runs), `calls:<key>`, `agent:<id>`. */
  source: string;
  /** What people call it: a session by agent and task, an agent by its slug. */
  title: string;
  problem: string;
  since: Timestamp;
  nextTryAt: Timestamp;
}

export interface ExtensionsReport {
  /** What the backend offers beyond the contract; null until it was asked. */
  functions: readonly string[] | null;
  /** Why the offer is not known, or the subscription is not well; null when all is well. */
  reason: string | null;
}

export interface JournalReport {
  /** Whether the disk takes what must survive a restart; `down` while the machine itself is. */
  state: 'available' | 'unavailable' | 'down';
  reason: string | null;
  nextTryAt: Timestamp;
  /** Replies that were paid for and cannot be posted (`npm run replies`). */
  deadLetters: number;
}

export interface UpgradeReport {
  mode: 'exit' | 'notify';
  state:
    'telling' | 'checking' | 'deciding' | 'current' | 'available' | 'heldBack' | 'committing' | 'upgrading';
  reason: string | null;
  targetOpenclawVersion: string | null;
  targetRuntimeVersion: string | null;
  requestedAt: Timestamp;
}

/** What one agent has used in this UTC day. */
interface AgentTokens {
  agent: string;
  input: number;
  output: number;
  /** AGENT_TOKENS_PER_DAY; null for none. */
  limit: number | null;
  /** It has used all of it, and rests until the day is over. */
  rests: boolean;
}

export interface TokensReport {
  /** `2026-11-29`, in UTC. */
  day: string;
  /** Of this day; whoever used the most first, at most 50. */
  agents: AgentTokens[];
  /** Of all agents, by day, the latest first, at most 35. */
  days: { day: string; input: number; output: number }[];
}

export interface MemoryReport {
  rssBytes: number;
  heapUsedBytes: number;
  heapTotalBytes: number;
  externalBytes: number;
}

/** What an open run is at. */
export interface RunInHand {
  /** From 1: each answer of the agent with calls begins the next one. */
  round: number;
  /** The call that is being made; null while the agent answers. */
  call: {
    /** One of our tools, or `unknown`. */
    tool: string;
    /** Its place among the calls of this answer, from 1. */
    number: number;
    of: number;
  } | null;
}

export interface MachineReport {
  id: string;
  /** Agent and task of a session, `engineer · Fix the login bug`; null for all others. */
  title: string | null;
  value: StateValue;
  tags: Tag[];
  /** When it entered the state that it is in. */
  since: Timestamp;
  /** When its next `after` fires. */
  nextTimerAt: Timestamp;
  /** When the gateway last sent something in its open round; null when none is open. */
  lastSignAt: Timestamp;
  /** When its open run is cut off (OPENCLAW_REQUEST_TIMEOUT_MS); null when none is open. */
  until: Timestamp;
  /** What its open run is at; null when none is open. */
  run: RunInHand | null;
  /** Restarts after a crash, since the process began. */
  restarts: number;
}

/** Sessions come and go with the traffic, so their list is bounded. */
export interface SessionsReport {
  total: number;
  /** At most SESSIONS_SHOWN. */
  shown: MachineReport[];
  /** How many of the sessions that are not shown are in which state. */
  rest: Record<string, number>;
}

export interface HealthReport {
  status: HealthStatus;
  /** One sentence: why it is not healthy, or that all is well. */
  reason: string;
  problems: ProblemReport[];
  /** Seconds since the process began. */
  uptime: number;
  versions: Versions;
  infrastructure: Infrastructure;
  gateway: GatewayReport;
  delivery: DeliveryReport;
  heartbeat: HeartbeatReport;
  agentSync: AgentSyncReport;
  upgrade: UpgradeReport;
  extensions: ExtensionsReport;
  journal: JournalReport;
  tokens: TokensReport;
  memory: MemoryReport;
  /** The supervised machines; of the heartbeats at most 50. */
  machines: MachineReport[];
  sessions: SessionsReport;
}
