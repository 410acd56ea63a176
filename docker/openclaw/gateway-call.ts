/**
 * Calls to the gateway over its WebSocket (protocol 4), from inside its own container: on the loopback interface the
 * token is enough and the scopes that are asked for are granted. The gateway writes its configuration itself then.
 */
import { randomUUID } from 'node:crypto';

const TIMEOUT_MS = 20_000;

export type Call = (method: string, params: object) => Promise<unknown>;

interface Response {
  id: string;
  ok: boolean;
  payload?: unknown;
  error?: { message?: string };
}

/**
 * Connects, lets `use` make its calls, and closes.
 * @throws Error with the gateway's words, when it refuses; or when there is no connection or no answer within 20 s
 */
export async function withGateway<T>(
  url: string,
  token: string,
  use: (call: Call) => Promise<T>,
): Promise<T> {
  const socket = new WebSocket(url);
  const waiting = new Map<string, PromiseWithResolvers<unknown>>();
  const challenged = Promise.withResolvers<void>();
  const fail = (error: Error): void => {
    challenged.reject(error);
    for (const { reject } of waiting.values()) reject(error);
  };
  const timer = setTimeout(() => fail(new Error('the gateway does not answer')), TIMEOUT_MS);
  socket.addEventListener('error', () => fail(new Error('the gateway cannot be reached')));
  socket.addEventListener('close', ({ reason }) =>
    fail(new Error(`the gateway closed the connection ${reason}`.trim())),
  );
  socket.addEventListener('message', ({ data }: { data: unknown }) => {
    const frame: unknown = JSON.parse(String(data));
    if (isChallenge(frame)) challenged.resolve();
    if (!isResponse(frame)) return;
    const call = waiting.get(frame.id);
    if (frame.ok) call?.resolve(frame.payload);
    else call?.reject(new Error(frame.error?.message ?? 'the gateway refused'));
  });
  const call: Call = (method, params) => {
    const id = randomUUID();
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    socket.send(JSON.stringify({ type: 'req', id, method, params }));
    return answer.promise;
  };
  try {
    await challenged.promise;
    await call('connect', hello(token));
    return await use(call);
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

const hello = (token: string): object => ({
  minProtocol: 4,
  maxProtocol: 4,
  client: { id: 'gateway-client', version: '1.0.0', platform: 'linux', mode: 'backend' },
  role: 'operator',
  scopes: ['operator.read', 'operator.admin'],
  caps: [],
  auth: { token },
});

const isChallenge = (frame: unknown): boolean =>
  typeof frame === 'object' && frame !== null && 'event' in frame && frame.event === 'connect.challenge';

const isResponse = (frame: unknown): frame is Response =>
  typeof frame === 'object' &&
  frame !== null &&
  'type' in frame &&
  frame.type === 'res' &&
  'id' in frame &&
  typeof frame.id === 'string' &&
  'ok' in frame;
