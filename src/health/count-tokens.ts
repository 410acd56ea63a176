import type { Usage } from '../../machines/shared/tools.ts';
import type { Gateway } from '../ports.ts';

/** Told what the gateway reports of tokens: the agent's slug, the key of the session, and how many. */
export type OnUsage = (agent: string, sessionKey: string, usage: Usage) => void;

/** The same gateway. Each report of tokens is passed on. */
export function countTokens(gateway: Gateway, onUsage: OnUsage): Gateway {
  return {
    ...gateway,
    async respond(request) {
      const reply = await gateway.respond(request);
      if (reply.usage !== null) onUsage(request.agentSlug, request.sessionKey, reply.usage);
      return reply;
    },
  };
}
