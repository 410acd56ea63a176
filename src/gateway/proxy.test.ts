/** A gateway behind a company's proxy. */
import { createServer as createTlsServer } from 'node:tls';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { forwardProxy } from '../../test/kits/forward-proxy.ts';
import { aRun, faultFrom } from '../../test/kits/gateway-server.ts';
import { startEchoGateway, type EchoGateway } from '../local/echo-gateway/spawn.ts';
import { createGateway } from './client.ts';

let echo: EchoGateway;
beforeEach(async () => {
  echo = await startEchoGateway({ faults: true, agents: ['engineer'], token: 'tok' });
});
afterEach(() => echo.close());

const portOf = (url: string): number => Number(new URL(url).port);

it('is reached through it, run by run', async () => {
  const proxy = await forwardProxy({ 'gateway.corp:18789': portOf(echo.url) });
  const gateway = createGateway({
    url: 'http://gateway.corp:18789',
    token: 'tok',
    requestTimeoutMs: 10_000,
    proxy: proxy.url,
  });
  expect((await gateway.probe(true)).agents).toEqual(['engineer']);
  expect((await gateway.respond(aRun())).text).toBe('echo from engineer: hello');
  expect((await faultFrom(gateway.respond(aRun({ input: 'ECHO_RESET' })))).kind).toBe('runCut');
  expect(proxy.asked).toContain('POST http://gateway.corp:18789/v1/responses');
  await gateway.close();
});

it('says so when the proxy does not know it, or does not answer', async () => {
  const proxy = await forwardProxy({});
  const options = { url: 'http://gateway.corp', token: 'tok', requestTimeoutMs: 10_000 };
  const unknown = createGateway({ ...options, proxy: proxy.url });
  expect((await faultFrom(unknown.probe(false))).message).toContain('HTTP 502');
  const stranger = createGateway({ ...options, proxy: proxy.url.replace('agent', 'nobody') });
  const refused = await faultFrom(stranger.respond(aRun()));
  expect(refused).toMatchObject({ kind: 'gatewayUnavailable' });
  expect(refused.message).toMatch(
    /by way of the proxy http:\/\/\*\*\*@127\.0\.0\.1:\d+ \(the proxy says HTTP 407\)/,
  );
  const away = createGateway({ ...options, proxy: 'http://127.0.0.1:9' });
  const fault = await faultFrom(away.respond(aRun()));
  expect(fault.kind).toBe('gatewayUnavailable');
  expect(fault.message).toContain('by way of the proxy http://127.0.0.1:9 (ECONNREFUSED)');
});

it('is reached through a tunnel when it speaks TLS', async () => {
  // It shows no certificate: that the handshake fails there tells that the tunnel stands.
  const server = createTlsServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const proxy = await forwardProxy({ 'gateway.corp:443': port });
  const gateway = createGateway({
    url: 'https://gateway.corp',
    token: 'tok',
    requestTimeoutMs: 10_000,
    proxy: proxy.url,
  });
  const fault = await faultFrom(gateway.respond(aRun()));
  expect(fault.kind).toBe('gatewayUnavailable');
  expect(fault.message).toMatch(/\((?:ERR_SSL|EPROTO|ECONNRESET)/);
  expect(proxy.asked).toEqual(['CONNECT gateway.corp:443']);
  const unknown = createGateway({
    url: 'https://other.corp',
    token: 'tok',
    requestTimeoutMs: 10_000,
    proxy: proxy.url,
  });
  expect((await faultFrom(unknown.respond(aRun()))).message).toContain('(the proxy says HTTP 502)');
});
