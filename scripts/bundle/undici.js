/**
 * What the runtime uses of undici, in place of its index, which also starts mocks, caches, fetch, WebSockets and
 * more: a third of the bundle and of the time to the first answer. scripts/build.ts puts it where `undici` is imported.
 */
import api from 'undici/lib/api/index.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';

// undici's own index does the same.
Object.assign(Dispatcher.prototype, api);

export { default as Agent } from 'undici/lib/dispatcher/agent.js';
export { default as Client } from 'undici/lib/dispatcher/client.js';
export { default as Pool } from 'undici/lib/dispatcher/pool.js';
export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js';
export { default as errors } from 'undici/lib/core/errors.js';
