/**
 * The contract in memory, as a process: `node main.ts [--port N] [--secret HEX] [--seed N] [--history] [--extended]`. It prints
 * one line of JSON when it can be called, and ends with its standard input.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { serveSync } from '../../../src/local/mission-control/sync/server.ts';
import type { Control } from './control.ts';
import { createFaults } from './faults.ts';
import { createRandom } from '../random.ts';
import { oneThing } from '../sync-source.ts';
import { answerQuery, createContractServer } from './server.ts';
import { createStore } from './store.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    secret: { type: 'string', default: randomBytes(32).toString('hex') },
    seed: { type: 'string', default: '1' },
    history: { type: 'boolean', default: false },
    extended: { type: 'boolean', default: false },
  },
});

const store = createStore({
  secret: values.secret,
  history: values.history,
  extended: values.extended,
});
const faults = createFaults(createRandom(Number(values.seed)));
const control: Control = { store, faults, calls: new Map(), disconnect: () => undefined };
const server = createContractServer(control);
if (values.extended) {
  const queue = oneThing((call) => answerQuery(control, call));
  const sync = serveSync(server, queue);
  store.onArrival = () => queue.written();
  control.disconnect = () => sync.disconnect();
}
server.listen(Number(values.port), '127.0.0.1');
await once(server, 'listening');

const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
const accountId = store.account._id;
process.stdout.write(
  `${JSON.stringify({
    url: `http://127.0.0.1:${port}`,
    accountId,
    serviceToken: `mc_service_${accountId}_${values.secret}`,
  })}\n`,
);
process.stdin.resume().once('end', () => process.exit());
