/**
 * A stand-in for the self-hosted Convex, which cannot be had everywhere: it opens the admin key of each call with the
 * published algorithm and answers a deployment and the call of a function as the client's own tool expects it. It
 * runs no function. Started as a process, it listens and stores its credentials where the image does.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync } from 'node:zlib';
import { gcmsiv } from '@noble/ciphers/aes.js';
import { sealingKey } from '../../docker/convex/admin-key.ts';

const SECRET = '07'.repeat(32);

/** Opens a key as the backend does: only one that was made with the secret opens. */
function opensKey(authorization: string | undefined): boolean {
  const hex = /^Convex stand-in\|([0-9a-f]{74})$/.exec(authorization ?? '')?.[1] ?? '';
  const sealed = Buffer.from(hex, 'hex');
  try {
    gcmsiv(sealingKey(SECRET), sealed.subarray(1, 13), sealed.subarray(0, 1)).decrypt(sealed.subarray(13));
    return true;
  } catch {
    return false;
  }
}

/** What a push comes to: nothing but what convex deploy reads of it. */
const PUSHED = {
  environmentVariables: {},
  externalDepsId: null,
  componentDefinitionPackages: {},
  appAuth: [],
  analysis: {},
  app: {
    definitionPath: '',
    componentPath: '',
    args: {},
    childComponents: {},
    httpRoutes: { httpModuleRoutes: null, mounts: [] },
    exports: {},
  },
  schemaChange: { allocatedComponentIds: [], schemaIds: [] },
};
const DONE = { authDiff: { added: [], removed: [] }, definitionDiffs: {}, componentDiffs: {} };

/** How a self-hosted Convex answers the calls of a deployment and of a function, one that does not run any. */
const ANSWERS: Record<string, unknown> = {
  '/api/get_config_hashes': {
    config: { functions: 'convex/', authInfo: [] },
    moduleHashes: [],
    udfServerVersion: '1.48.0',
    nodeDependencies: [],
  },
  '/api/deploy2/evaluate_push': { schemaChange: PUSHED.schemaChange },
  '/api/deploy2/start_push': PUSHED,
  '/api/deploy2/wait_for_schema': { type: 'complete' },
  '/api/deploy2/finish_push': DONE,
  '/api/deploy2/report_push_completed': {},
  '/api/function': { status: 'success', value: { accountId: 'account1', tasks: [] }, logLines: [] },
};

/** What was asked of it, the key opened: a call with another key gets 401. */
interface Call {
  url: string;
  body: string;
}

/** @param refuses the call that it does not want */
export function createStandIn(refuses?: string): { server: Server; calls: Call[] } {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((raw) => {
      const url = request.url ?? '';
      if (url === '/version') return response.end('stand-in');
      if (!opensKey(request.headers.authorization)) return response.writeHead(401).end('{}');
      const isBrotli = request.headers['content-encoding'] === 'br';
      calls.push({ url, body: (isBrotli ? brotliDecompressSync(raw) : raw).toString() });
      const answer = url === refuses ? undefined : ANSWERS[url];
      response.writeHead(answer === undefined ? 400 : 200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify(answer ?? { code: 'StandIn', message: `no ${url}` }));
    });
  });
  return { server, calls };
}

/** @param data the directory of its data */
export function leaveCredentials(data: string): void {
  mkdirSync(join(data, 'credentials'), { recursive: true });
  writeFileSync(join(data, 'credentials/instance_name'), 'stand-in', { mode: 0o600 });
  writeFileSync(join(data, 'credentials/instance_secret'), SECRET, { mode: 0o600 });
}

if (import.meta.main) {
  leaveCredentials('/convex/data');
  createStandIn().server.listen(3210);
}
