import type { Gateway } from '../ports.ts';
import type { Metrics } from './metrics.ts';

/** The same gateway; what it reports of tokens is counted for the agent. */
export function countTokens(gateway: Gateway, metrics: Pick<Metrics, 'tokens'>): Gateway {
  return {
    ...gateway,
    async respond(request) {
      const reply = await gateway.respond(request);
      if (reply.usage !== null) metrics.tokens(request.agentSlug, reply.usage);
      return reply;
    },
  };
}
