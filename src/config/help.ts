import { runtimeVersion } from '../version.ts';
import { settingNotes } from './settings.ts';

/** What `--version` prints. */
export const versionText = `openclaw-mission-control-runtime ${runtimeVersion}`;

/** What `--help` prints: how to start, and every setting. */
export function helpText(): string {
  const entries = [...settingNotes].map(([name, notes]) => {
    const names = notes.file ? `${name} (or ${name}_FILE, the path of a file that holds it)` : name;
    const fallback = notes.defaultText === null ? 'required' : `default: ${notes.defaultText}`;
    return `  ${names}\n      ${notes.description}\n      ${notes.ruleText}\n      ${fallback}`;
  });
  return [
    versionText,
    'Carries notifications from Mission Control to agents on an OpenClaw gateway and brings their replies back.',
    '',
    'Usage: node dist/main.js [--help | --version]',
    '',
    'Settings come from the environment. An empty variable counts as not set.',
    '',
    ...entries,
    '',
    'Exit codes: 0 stopped, 70 a bug, 71 cannot listen, 75 an upgrade or restart was asked for, 78 wrong settings.',
  ].join('\n');
}
