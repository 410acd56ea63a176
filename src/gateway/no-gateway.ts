import { Fault } from '../../machines/shared/fault.ts';
import type { Gateway } from '../ports.ts';

/** Stands in where OPENCLAW_GATEWAY_URL is empty. The gate is closed then, so nobody calls it. */
export function createNoGateway(): Gateway {
  const refuse = () =>
    Promise.reject(new Fault('gatewayUnavailable', 'no gateway is configured: set OPENCLAW_GATEWAY_URL'));
  return { respond: refuse, probe: refuse, close: () => Promise.resolve() };
}
