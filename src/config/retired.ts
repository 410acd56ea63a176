/**
 * Settings of the earlier runtime that mean nothing here. The text says what replaces each. The sentence puts it after
 * a semicolon.
 */
export const retiredSettings: ReadonlyMap<string, string> = new Map([
  [
    'TASK_STATUS_BASE_URL',
    'agents act through tools that this runtime carries out itself, so no address is needed: remove it',
  ],
  [
    'OPENCLAW_CLIENT_TOOLS_ENABLED',
    'the tools of an agent follow from its behaviour flags in Mission Control: remove it',
  ],
  [
    'OPENCLAW_PROFILE_SYNC',
    'set OPENCLAW_ROSTER_FILE to the file from which the gateway learns of the agents',
  ],
  [
    'OPENCLAW_WORKSPACE_ROOT',
    'the gateway keeps the workspaces itself and learns of the agents from OPENCLAW_ROSTER_FILE',
  ],
  ['DELIVERY_STREAM_TIMEOUT_MS', 'set OPENCLAW_REQUEST_TIMEOUT_MS, which covers the whole run'],
  [
    'DELIVERY_CONTEXT_FETCH_BATCH_SIZE',
    'contexts are read ahead for the sessions that run next; DELIVERY_MAX_CONCURRENT_SESSIONS bounds them',
  ],
]);
