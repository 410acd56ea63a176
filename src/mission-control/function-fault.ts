import { ConvexError } from 'convex/values';
import * as v from 'valibot';
import { MAX_RETRY_AFTER_MS, Fault } from '../../machines/shared/fault.ts';
import type { FaultKind } from '../../machines/shared/fault.ts';

/** The backend's sentences (docs/contract.md#token). They are only hints: a production deployment hides them. */
const REFUSALS = [
  'Invalid service token',
  'Forbidden: Service token does not match account',
  'Forbidden: Account has no service token configured',
  'Not found: Account does not exist',
];

/**
 * Convex's own words for a deployment that is paused, suspended or over its plan's limits. Production shows them too.
 */
const STOPPED = [
  'Cannot run functions while this deployment is',
  'This deployment has been disabled',
  'You have exceeded the free plan limits',
  'You have exceeded your spending limits',
];

const NO_SUCH_ACCOUNT =
  'The deployment at CONVEX_URL knows no account with the id in ACCOUNT_ID: check ACCOUNT_ID and CONVEX_URL.';

const TOO_LONG = 'Message content too long';

/** How a Convex function said no, for those who decide by it. */
interface Said {
  /** The code of a ConvexError; null for any other error. */
  code: string | null;
  /** The function's own words on one line, without the token; empty when the deployment hides them. */
  words: string;
  /** Perhaps there is no such function: a production deployment tells that from a failure only by a ConvexError. */
  mayBeAbsent: boolean;
  retryAfterMs: number;
}

export class FunctionFault extends Fault {
  override readonly name = 'FunctionFault';
  readonly code: Said['code'];
  readonly words: Said['words'];
  readonly mayBeAbsent: Said['mayBeAbsent'];

  constructor(kind: FaultKind, message: string, said: Said) {
    super(kind, message, { retryAfterMs: said.retryAfterMs });
    this.code = said.code;
    this.words = said.words;
    this.mayBeAbsent = said.mayBeAbsent;
  }
}

/** The share of a fault's message that a function may fill; the whole stays under 300 characters. */
const MAX_TEXT = 200;

/**
 * What a function threw, as a fault: by the code of a ConvexError, then by text as a hint. The original is not kept
 * as the cause: a validator's message quotes all arguments, the token among them.
 *
 * @param name the function, without `service/actions:`
 * @param error what ConvexHttpClient threw for a function error
 */
export function functionFault(name: string, error: unknown, serviceToken: string): FunctionFault {
  const { code, text, requestId, retryAfterMs, isAccountUnknown } = readThrown(error);
  const words = withoutToken(text, serviceToken).slice(0, MAX_TEXT);
  const kind = isAccountUnknown ? 'backendRefused' : kindOf(code, words);
  const message = isAccountUnknown ? NO_SUCH_ACCOUNT : sentence(kind, name, words, requestId);
  const mayBeAbsent = kind === 'backendRejected' && !(error instanceof ConvexError);
  return new FunctionFault(kind, message, { code, words, mayBeAbsent, retryAfterMs });
}

interface Thrown {
  code: string | null;
  /** The function's own words, on one line; empty when Convex hides them. */
  text: string;
  /** The id under which the deployment's log has the rest. */
  requestId: string | null;
  /** The wait that it asks for, in milliseconds; 0 for none. */
  retryAfterMs: number;
  /** ACCOUNT_ID is no id of an account there. */
  isAccountUnknown: boolean;
}

const errorData = v.object({
  code: v.optional(v.string()),
  message: v.optional(v.string()),
  /** The wait that the function asks for, in milliseconds. */
  retryAfter: v.optional(v.unknown()),
});

function readThrown(error: unknown): Thrown {
  const message = error instanceof Error ? error.message : String(error);
  const thrown: Thrown = {
    code: null,
    retryAfterMs: 0,
    text: ownWords(message),
    isAccountUnknown: /ArgumentValidationError[^]*Path: \.accountId\b/.test(message),
    requestId: /\[Request ID: (\w{1,64})\]/.exec(message)?.[1] ?? null,
  };
  if (!(error instanceof ConvexError)) return thrown;
  const told: unknown = error.data;
  if (typeof told === 'string') return { ...thrown, text: ownWords(told) };
  const data = v.safeParse(errorData, told);
  if (!data.success) return thrown;
  const code = data.output.code ?? null;
  const { retryAfter } = data.output;
  const asks = typeof retryAfter === 'number' && Number.isFinite(retryAfter) && retryAfter > 0;
  const retryAfterMs = asks ? Math.min(retryAfter, MAX_RETRY_AFTER_MS) : 0;
  return { ...thrown, code, retryAfterMs, text: ownWords(data.output.message ?? code ?? message) };
}

/** The first line with content, without Convex's header, the stack, and the prefixes that wrapping adds. */
function ownWords(message: string): string {
  const lines = message.split('\n').map((line) =>
    line
      .replace(/^\s*(?:\[[^\]]*\]\s*)*(?:Server Error\s*$)?/, '')
      .replace(/^(?:Uncaught |Error: |ConvexError: )+/, '')
      .trim(),
  );
  return lines.find((line) => line !== '' && !line.startsWith('at ')) ?? '';
}

/** The token by value, and whatever looks like one: the other side may have cut or re-quoted it. */
function withoutToken(text: string, serviceToken: string): string {
  return text.replaceAll(serviceToken, '***').replaceAll(/mc_service_\w+/g, '***');
}

function kindOf(code: string | null, text: string): FaultKind {
  const startsWith = (start: string) => text.startsWith(start);
  if (code === 'UNAUTHENTICATED' || REFUSALS.some(startsWith)) return 'backendRefused';
  if (text.startsWith(TOO_LONG)) return 'textTooLong';
  if (STOPPED.some(startsWith)) return 'backendUnavailable';
  return 'backendRejected';
}

function sentence(kind: FaultKind, name: string, text: string, requestId: string | null): string {
  const request = requestId === null ? '' : ` (request ${requestId})`;
  const words = text.replace(/[.\s]+$/, '');
  if (kind === 'backendRefused') {
    return `Convex refuses SERVICE_TOKEN in ${name}${request}: ${words}. Check SERVICE_TOKEN and ACCOUNT_ID.`;
  }
  if (words !== '') return `${name} failed in Convex${request}: ${words}.`;
  return `${name} failed in Convex${request}, which hides the reason: see the log of the deployment.`;
}
