import type { Config } from './config.ts';
import { settingNotes } from './settings.ts';
import type { Given, Source } from './sources.ts';

/** The value that one setting has in the end. */
export interface EffectiveSetting {
  name: string;
  /** `***` for a secret. */
  value: string;
  source: Source;
}

/** All settings in the order of the table, for the log line at the start. */
export function effectiveSettings(config: Config, given: ReadonlyMap<string, Given>): EffectiveSetting[] {
  // Defaults that depend on other settings, and paths made absolute.
  const decided = new Map([
    ['LOG_FORMAT', config.log.format],
    ['RUNTIME_VERSION', config.runtimeVersion],
    ['STATE_DIR', config.stateDir],
  ]);
  return [...settingNotes].map(([name, notes]) => {
    const from = given.get(name);
    const value = decided.get(name) ?? (from ? notes.normal(from.text) : (notes.defaultText ?? ''));
    return { name, value: notes.secret ? '***' : value, source: from?.source ?? 'default' };
  });
}
