import { describe, expect, it } from 'vitest';
import { proxyFor, proxySecrets, shownProxy } from './proxy.ts';

const PROXY = 'http://proxy.corp:3128';

describe('proxyFor', () => {
  it.each<[string, Record<string, string>, string | null]>([
    ['https://a.convex.cloud', {}, null],
    ['https://a.convex.cloud', { HTTPS_PROXY: PROXY }, `${PROXY}/`],
    ['https://a.convex.cloud', { https_proxy: PROXY, HTTPS_PROXY: 'http://other:1' }, `${PROXY}/`],
    ['https://a.convex.cloud', { https_proxy: '', HTTPS_PROXY: PROXY }, `${PROXY}/`],
    ['https://a.convex.cloud', { HTTP_PROXY: PROXY }, null],
    ['http://gateway.corp:18789', { HTTP_PROXY: PROXY }, `${PROXY}/`],
    ['http://gateway.corp:18789', { http_proxy: 'proxy.corp:3128' }, `${PROXY}/`],
    ['http://gateway.corp:18789', { HTTPS_PROXY: PROXY }, null],
    ['http://127.0.0.1:18789', { HTTP_PROXY: PROXY }, null],
    ['http://127.8.9.1:18789', { HTTP_PROXY: PROXY }, null],
    ['http://localhost:18789', { HTTP_PROXY: PROXY }, null],
    ['http://a.localhost', { HTTP_PROXY: PROXY }, null],
    ['http://[::1]:18789', { HTTP_PROXY: PROXY }, null],
  ])('%s with %j: %s', (address, env, proxy) => {
    expect(proxyFor(address, env)).toBe(proxy);
  });

  it.each([
    ['http://gateway.corp', '*', true],
    ['http://gateway.corp', 'gateway.corp', true],
    ['http://gateway.corp', 'GATEWAY.CORP', true],
    ['http://gateway.corp', 'corp', true],
    ['http://gateway.corp', '.corp', true],
    ['http://gateway.corp', '*.corp', true],
    ['http://gateway.corp', 'way.corp', false],
    ['http://gateway.corp', 'other.corp, x.corp', false],
    ['http://gateway.corp', 'other.corp  gateway.corp', true],
    ['http://gateway.corp', 'gateway.corp:80', true],
    ['http://gateway.corp', 'gateway.corp:8080', false],
    ['http://gateway.corp:8080', 'gateway.corp:8080', true],
    ['http://10.1.2.3', '10.0.0.0/8', true],
    ['http://11.1.2.3', '10.0.0.0/8', false],
    ['http://10.1.2.3', '10.1.2.3', true],
    ['http://10.1.2.3', '10.0.0.0/99', false],
    ['http://[fd00::1]', 'fd00::/8', true],
    ['http://[fd00::1]', '[fd00::1]:80', true],
    ['http://gateway.corp', '127.0.0.1', false],
  ])('%s with NO_PROXY=%s is reached directly: %s', (address, list, direct) => {
    expect(proxyFor(address, { HTTP_PROXY: PROXY, NO_PROXY: list })).toBe(direct ? null : `${PROXY}/`);
    expect(proxyFor(address, { HTTP_PROXY: PROXY, no_proxy: list })).toBe(direct ? null : `${PROXY}/`);
  });

  it.each(['socks5://proxy:1080', 'http://', '::'])('refuses %j without repeating it', (text) => {
    expect(() => proxyFor('http://gateway.corp', { HTTP_PROXY: text })).toThrow(
      'not the address of an HTTP proxy',
    );
  });
});

it('shows a proxy without its credentials, and knows what they are', () => {
  const proxy = 'http://agent:s%40cret@proxy.corp:3128/';
  expect(shownProxy(proxy)).toBe('http://***@proxy.corp:3128');
  expect(shownProxy(null)).toBe('none');
  expect(proxySecrets({ convex: proxy, gateway: null, traces: null })).toEqual(['s@cret', 'agent:s@cret']);
});
