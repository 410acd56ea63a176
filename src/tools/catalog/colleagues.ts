import { MAX_THREAD } from '../../../machines/shared/mission-control.ts';
import { Refusal } from '../refusal.ts';
import { currentTask, idField, optional, plainSlug, slugs, text } from './fields.ts';
import { agentIds, GATES } from './gates.ts';
import { defineTool } from './tool.ts';
import type { Making } from './tool.ts';

export const responseRequest = defineTool({
  name: 'response_request',
  description:
    'Asks other agents for an answer in the thread of a task. It wakes them. Who was asked already and has not answered is not asked again.',
  gate: GATES.asksColleagues,
  kind: 'make',
  fields: {
    recipientSlugs: slugs('The agents to ask, at most 10.', 10),
    message: text(1_000, 'What you need of them.'),
    taskId: currentTask,
  },
  check({ recipientSlugs }, agent) {
    agentIds(recipientSlugs, agent);
    if (recipientSlugs.every((slug) => slug === plainSlug(agent.slug))) {
      throw new Refusal('invalid_arguments', 'You cannot ask yourself.', 'Name another agent.');
    }
  },
  async make({ recipientSlugs, message, taskId }, making) {
    const { agent, service, signal } = making;
    const answered = await answeredSince(taskId, making);
    const asked: string[] = [];
    const askedBefore: string[] = [];
    // One by one, because the answer to a request for several agents does not say who was left out.
    for (const slug of recipientSlugs.filter((one) => one !== plainSlug(agent.slug))) {
      if (answered.has(agentIds([slug], agent)[0])) {
        asked.push(slug);
        continue;
      }
      const request = { agentId: agent.agentId, taskId, recipientSlugs: [slug], message: message.trim() };
      const { notificationIds } = await service.requestResponses(request, signal);
      (notificationIds.length > 0 ? asked : askedBefore).push(slug);
    }
    return { taskId, asked, askedAlreadyAndNotAnswered: askedBefore };
  },
});

/** Who has written since the row came, when the call is a repeat: the earlier try had asked them. */
async function answeredSince(
  taskId: string,
  { agent: { agentId }, service, circumstances: { repeat, since }, signal }: Making,
): Promise<Set<string | undefined>> {
  if (!repeat || since === null) return new Set();
  const { thread } = await service.loadTask({ agentId, taskId, messageLimit: MAX_THREAD }, signal);
  return new Set(thread.filter(({ createdAt }) => createdAt >= since).map(({ authorId }) => authorId));
}

export const getAgentSkills = defineTool({
  name: 'get_agent_skills',
  description: 'Tells which skills the agents of the account have: of all, or of one.',
  gate: GATES.everyone,
  kind: 'read',
  fields: { agentId: optional(idField('Only this agent, by id or slug; leave it out for all.')) },
  check: ({ agentId }, agent) => {
    if (agentId !== undefined) agentIds([agentId], agent);
  },
  async make({ agentId: asked }, { agent, service, signal }) {
    const [queryAgentId] = asked === undefined ? [] : agentIds([asked], agent);
    const query = { agentId: agent.agentId, ...(queryAgentId !== undefined && { queryAgentId }) };
    return { agents: await service.listSkills(query, signal) };
  },
});
