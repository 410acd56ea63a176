/**
 * Every setting, once. The checks, the defaults, `--help` and the table in docs/reference/settings.md come from this
 * table. Names and ranges follow docs/contract.md#environment.
 */
import { makeExactValidator, type OptionalValidatorSpec, type RequiredValidatorSpec } from 'envalid';
import { runtimeVersion } from '../version.ts';
import { duration } from './duration.ts';
import type { Rule } from './rule.ts';
import { gatewayToken, serviceToken } from './tokens.ts';
import { convexUrl, gatewayUrl } from './url.ts';
import { tokenLimits } from './token-limits.ts';
import { inspector } from './inspector.ts';
import { otlpEndpoint, otlpHeaders, resourceAttributes, samplerArg } from './otlp.ts';
import { SAMPLERS } from './traces.ts';
import { accountId, host, integer, label, oneOf, path, port } from './validators.ts';

/** What `--help` and the page say about a setting. */
export interface Notes {
  /** Completes "set it to ...". */
  description: string;
  /** Completes "set ...". */
  ruleText: string;
  /** The default as an operator would write it, or in words; null when the setting is required. */
  defaultText: string | null;
  /** Never shown. */
  secret: boolean;
  /** May be given as NAME_FILE as well. */
  file: boolean;
  /** A valid text as the runtime understands it. */
  normal: (text: string) => string;
}

interface Options {
  /** Never shown, and may be given as NAME_FILE. */
  secret?: boolean;
  /** May be given as NAME_FILE. The account's id may, because it comes from the same place as its token. */
  file?: boolean;
}

function notes<T>(
  rule: Rule<T>,
  description: string,
  defaultText: string | null,
  { secret = false, file = secret }: Options = {},
): Notes {
  return {
    description,
    ruleText: rule.text,
    defaultText,
    secret,
    file,
    normal: (text) => rule.show(rule.parse(text)),
  };
}

function required<T>(
  rule: Rule<T>,
  description: string,
  options?: Options,
): RequiredValidatorSpec<T> & Notes {
  return { ...makeExactValidator(rule.parse)(), ...notes(rule, description, null, options) };
}

/** The default is a text and passes the same rule as a given one. */
function withDefault<T extends string | number>(
  rule: Rule<T>,
  text: string,
  description: string,
): RequiredValidatorSpec<T> & Notes {
  return { default: rule.parse(text), _parse: rule.parse, ...notes(rule, description, text) };
}

/** Its default is decided elsewhere; `inWords` describes it. */
function optional<T>(
  rule: Rule<T>,
  inWords: string,
  description: string,
  options?: Options,
): OptionalValidatorSpec<T> & Notes {
  return { default: undefined, _parse: rule.parse, ...notes(rule, description, inWords, options) };
}

export const settings = {
  ACCOUNT_ID: required(accountId, 'the id of the account in Mission Control', { file: true }),
  CONVEX_URL: required(convexUrl, 'the address of the Convex deployment'),
  SERVICE_TOKEN: required(serviceToken, "the account's service token", { secret: true }),
  HEALTH_HOST: withDefault(
    host,
    '127.0.0.1',
    'the address that the health server listens on; 0.0.0.0 only in a container whose port is published on 127.0.0.1',
  ),
  HEALTH_PORT: withDefault(port, '3000', "the health server's port; 0 takes any free one"),
  LOG_LEVEL: withDefault(oneOf('debug', 'info', 'warn', 'error'), 'info', 'the least level that is logged'),
  LOG_FORMAT: optional(oneOf('json', 'pretty'), 'json, pretty on a terminal', 'the form of a log line'),
  DELIVERY_INTERVAL: withDefault(
    duration(1_000, 86_400_000),
    '15s',
    'the longest wait between two looks at an empty queue, while no wake-up announces new notifications',
  ),
  WAKE_UP: withDefault(
    oneOf('auto', 'off'),
    'auto',
    'whether to subscribe to the queue where the backend offers it; off only polls',
  ),
  DELIVERY_BACKOFF_BASE_MS: withDefault(duration(1), '5s', 'the first wait after a failure'),
  DELIVERY_BACKOFF_MAX_MS: withDefault(
    duration(1),
    '1m',
    'the longest wait after failed runs, and up to 25s after failed calls of Mission Control; not less than DELIVERY_BACKOFF_BASE_MS',
  ),
  DELIVERY_MAX_CONCURRENT_SESSIONS: withDefault(
    integer(1, 1_000),
    '10',
    'the number of sessions that may run at once',
  ),
  DELIVERY_LIST_LIMIT: withDefault(integer(1, 500), '50', 'the number of notifications that one look takes'),
  OPENCLAW_GATEWAY_URL: withDefault(
    gatewayUrl,
    'http://127.0.0.1:18789',
    'the address of the OpenClaw gateway; empty for none',
  ),
  OPENCLAW_GATEWAY_TOKEN: optional(
    gatewayToken,
    'local for a gateway on this machine or in its compose network, else required',
    "the gateway's token",
    { secret: true },
  ),
  OPENCLAW_REQUEST_TIMEOUT_MS: withDefault(
    duration(5_000, 3_600_000),
    '10m',
    'the longest that one run of an agent may take',
  ),
  STALL_AFTER: withDefault(
    duration(2_000, 3_600_000),
    '5m',
    'how long the gateway may send nothing of a run before /health, metrics and log name the run; it goes on',
  ),
  OPENCLAW_ROSTER_FILE: optional(
    path,
    'none',
    'the file in which the gateway finds the agents of Mission Control (docs/runtime/openclaw-gateway.md)',
  ),
  OPENCLAW_VERSION: optional(
    label,
    'asked of the gateway',
    'the OpenClaw version to report; it wins over what the gateway says',
  ),
  RUNTIME_VERSION: withDefault(label, runtimeVersion, 'the runtime version to report'),
  HEALTH_CHECK_INTERVAL: withDefault(
    duration(1_000, 60_000),
    '30s',
    'the longest wait between two status reports; the backend counts a runtime as offline after 90s of silence',
  ),
  AGENT_TOOLS: withDefault(
    oneOf('on', 'read', 'off'),
    'on',
    'what agents may do in Mission Control during a run: on, as their role and flags allow; read, only look; off, only talk (docs/agents.md)',
  ),
  AGENT_CHAIN_LIMIT: withDefault(
    integer(0, 40),
    '12',
    'how many messages of agents may follow each other in a thread, without a message of a person or a change of the task, before they are held; 0 for no limit',
  ),
  FOLLOW_UPS: withDefault(
    oneOf('on', 'off'),
    'on',
    "whether the assignees of tasks that stand still are asked in the orchestrator's heartbeat",
  ),
  AGENT_TOKENS_PER_DAY: optional(
    tokenLimits,
    'no limit',
    'how many tokens an agent may use in a UTC day, in and out together; after that it rests until the next day and its messages wait',
  ),
  AGENT_SYNC_INTERVAL: withDefault(duration(1_000), '5m', 'the wait between two looks at the list of agents'),
  PROFILE_SYNC: withDefault(
    oneOf('on', 'off'),
    'on',
    "whether the agents' souls, skills and rules are published beside OPENCLAW_ROSTER_FILE",
  ),
  PROFILE_SYNC_INTERVAL: withDefault(
    duration(1_000),
    '60s',
    "the wait between two looks at the agents' profiles",
  ),
  UPGRADE_MODE: withDefault(
    oneOf('exit', 'notify'),
    'exit',
    'what follows on an upgrade request: exit drains and exits with 75, notify only logs it',
  ),
  DRAIN_TIMEOUT_MS: withDefault(duration(1), '25s', 'the time that runs may still take after a stop signal'),
  UPGRADE_DRAIN_TIMEOUT_MS: withDefault(
    duration(1),
    '10m',
    'the time that runs may still take before an upgrade or restart that was asked for',
  ),
  STATE_DIR: withDefault(path, '.runtime/state', 'the directory of what must survive a restart'),
  JOURNAL: withDefault(
    oneOf('required', 'optional'),
    'required',
    'whether runs may start while the journal in STATE_DIR cannot be written; optional goes on in memory, and a crash may then have runs repeated',
  ),
  STATE_LOCK_WAIT: withDefault(
    duration(0, 3_600_000),
    '60s',
    'how long a start waits while another runtime has STATE_DIR; for a hand-over from one to the next',
  ),
  INSPECTOR: withDefault(inspector, 'off', 'the live picture of the machines, for development'),
  INSPECTOR_HOST: withDefault(
    host,
    '127.0.0.1',
    'the address that the inspector listens on; 0.0.0.0 only in a container whose port is published on 127.0.0.1',
  ),
  INSPECTOR_PORT: withDefault(port, '9230', "the inspector's port; 0 takes any free one"),
  INSPECTOR_TEXT: withDefault(
    oneOf('on', 'off'),
    'on',
    'whether the story of a notification shows the first 80 characters of its message',
  ),
  INSPECTOR_IN_PRODUCTION: withDefault(
    oneOf('refuse', 'allow'),
    'refuse',
    'whether INSPECTOR=on is taken where NODE_ENV is production',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    otlpEndpoint,
    'none, and no traces',
    'the OTLP receiver that traces go to; /v1/traces is appended (docs/traces.md)',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(
    otlpEndpoint,
    'from OTEL_EXPORTER_OTLP_ENDPOINT',
    'the whole address that traces go to; nothing is appended',
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: withDefault(
    oneOf('http/protobuf', 'http/json'),
    'http/protobuf',
    'how spans are written',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: optional(otlpHeaders, 'none', 'headers that go with the spans', {
    secret: true,
  }),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: optional(
    otlpHeaders,
    'none',
    'headers that go with the spans, beside those of OTEL_EXPORTER_OTLP_HEADERS',
    { secret: true },
  ),
  OTEL_SERVICE_NAME: withDefault(label, 'mission-control-runtime', 'service.name of the traces'),
  OTEL_RESOURCE_ATTRIBUTES: optional(
    resourceAttributes,
    'none',
    'what else the traces say of this runtime; OTEL_SERVICE_NAME wins over a service.name in it',
  ),
  OTEL_TRACES_SAMPLER: withDefault(
    oneOf(...SAMPLERS),
    'parentbased_always_on',
    'which notifications have a trace: all, none, or a share (OTEL_TRACES_SAMPLER_ARG)',
  ),
  OTEL_TRACES_SAMPLER_ARG: withDefault(
    samplerArg,
    '1',
    'the share of the notifications that have a trace, where OTEL_TRACES_SAMPLER is a traceidratio',
  ),
  DROPLET_ID: withDefault(label, 'unknown', "the machine's id to report"),
  DROPLET_IP: withDefault(label, 'unknown', "the machine's address to report"),
  DROPLET_REGION: withDefault(label, 'unknown', "the machine's region to report"),
};

/** The settings in the order of `--help` and the page. */
export const settingNotes: ReadonlyMap<string, Notes> = new Map(
  Object.entries({
    ...settings,
    // The number itself would make every release change the page.
    RUNTIME_VERSION: { ...settings.RUNTIME_VERSION, defaultText: 'the version of this build' },
  }),
);
