import { runtimeVersion } from '../version.ts';
import { exitCodes } from './exit-codes.ts';
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
    'HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured for Convex and the gateway; this machine is always reached directly.',
    '',
    ...entries,
    '',
    'Exit codes:',
    ...exitCodes.map(({ code, meaning }) => `  ${code}  ${meaning}`.replace('  0 ', '   0 ')),
  ].join('\n');
}
