import { toPlain } from './plain.ts';
import { hideSecretKeys, isSecretName } from './secret-keys.ts';
import { secretPattern } from './secret-values.ts';

const BEARER = /\bbearer(?:\s|%20|\+)+(?!(?:tokens?|auth\w*|schemes?|headers?)\b)[^\s"'\\,;&<>]+/gi;
const SERVICE_TOKEN = /mc_service_[A-Za-z0-9*][^\s"'\\,;&<>)\]}]*/g;
/**
 * In odd nests of quotes, what one pass hides may reveal another secret's name to the next pass. So passes repeat, at
 * most this often.
 */
const MOST_PASSES = 5;
const USER_INFO = /:\/\/[^\s"'\\/?#<>]+@/g;

/**
 * Makes the function that redacts every text on its way out: log lines, `/health`, metrics and the inspector. It removes
 * the configured secrets by their value, then values after the name of a secret, then texts with the form of a secret.
 * It takes linear time, changes nothing when applied again, and JSON (an object or array) stays JSON.
 *
 * @param secrets the configured secrets
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const values = secretPattern(secrets);

  const hide = (text: string): string =>
    hideSecretKeys(values ? text.replace(values, '***') : text)
      .replace(BEARER, 'Bearer ***')
      .replace(SERVICE_TOKEN, 'mc_service_***')
      .replace(USER_INFO, '://***@');

  const redactOnce = (text: string): string => {
    const hidden = hide(text);
    if (hidden === text || parseJson(hidden) !== null) return hidden;
    // The result is no longer JSON, for example after a secret of digits outside of quotes. Each text is redacted by itself.
    const json = parseJson(text);
    return json === null ? hidden : JSON.stringify(hideWithin(json.value, hide));
  };

  return (text) => {
    let [before, after] = [text, redactOnce(text)];
    for (let pass = 1; after !== before && pass < MOST_PASSES; pass += 1) {
      [before, after] = [after, redactOnce(after)];
    }
    return after;
  };
}

/** The value of an object or array in JSON; null for any other text. */
function parseJson(text: string): { value: unknown } | null {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch {
    return null;
  }
}

/** @param value what JSON.parse gave */
function hideWithin(value: unknown, hide: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => hideWithin(item, hide));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [hide(key), hideBehind(key, item, hide)]),
    );
  }
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  const hidden = hide(String(value));
  return hidden === String(value) ? value : hidden;
}

function hideBehind(key: string, value: unknown, hide: (text: string) => string): unknown {
  const tellsNothing = value === null || value === '' || typeof value === 'boolean';
  return isSecretName(key) && !tellsNothing ? '***' : hideWithin(value, hide);
}

/**
 * A copy of any value for a JSON body, redacted by the same function as the log.
 *
 * @param redact from {@link createRedactor}
 */
export function redactValue(value: unknown, redact: (text: string) => string): unknown {
  // The value is wrapped in an array, because the redactor keeps only arrays and objects as JSON.
  const copy: unknown = JSON.parse(redact(JSON.stringify([toPlain(value)])));
  return Array.isArray(copy) ? copy[0] : null;
}
