import { EnvMissingError } from 'envalid';
import { Invalid } from './errors.ts';
import type { Notes } from './settings.ts';

/** A shorter value is an everyday word or number, which a secret may contain by chance. */
const TELLING_LENGTH = 6;

/**
 * The value in brackets, or nothing when it may hold a secret: another configured secret, a service token, or the
 * credentials or query of an address.
 */
function got(value: string, secrets: string[]): string {
  const shared = secrets.some(
    (secret) =>
      (secret.length >= TELLING_LENGTH && value.includes(secret)) ||
      (value.length >= TELLING_LENGTH && secret.includes(value)),
  );
  if (shared || /mc_service_|[@?#]/.test(value)) return ' (not shown, it may hold a secret)';
  return ` (got ${JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value)})`;
}

/**
 * One sentence: the setting, what is wrong with it, and what to set instead.
 *
 * @param value the text that was given
 * @param secrets every secret that was given; the sentence contains none of them
 */
export function describeProblem(
  name: string,
  notes: Notes,
  error: Error,
  value: string,
  secrets: string[],
): string {
  if (error instanceof EnvMissingError) {
    const where = notes.file ? `${name} or ${name}_FILE` : 'it';
    return `${name}: not set; set ${where} to ${notes.description} (${notes.ruleText})`;
  }
  const fix = (error instanceof Invalid ? error.fix : null) ?? `set ${notes.ruleText}`;
  return `${name}: ${error.message}${notes.secret ? '' : got(value, secrets)}; ${fix}`;
}
