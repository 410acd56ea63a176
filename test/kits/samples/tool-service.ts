import type { ToolService, ToolTask } from '../../../src/tools/service.ts';

export const toolTask = (part: Partial<ToolTask> = {}): ToolTask => ({
  _id: 'task1',
  title: 'Fix it',
  status: 'in_progress',
  priority: 3,
  labels: [],
  assignedAgentIds: ['agent-engineer'],
  assignedUserIds: [],
  createdBy: 'agent-engineer',
  createdAt: 1_000,
  updatedAt: 1_000,
  ...part,
});

type Call = [name: string, args: unknown];

/** A service that keeps what it was asked, and answers as told; what no answer was given for is refused. */
export function scriptedService(answers: Partial<{ [Name in keyof ToolService]: unknown }>): {
  service: ToolService;
  calls: Call[];
} {
  const calls: Call[] = [];
  const service = new Proxy({} as ToolService, {
    get: (_, name: string) => (args: unknown) => {
      calls.push([name, args]);
      const answer = answers[name as keyof ToolService];
      if (answer instanceof Error) return Promise.reject(answer);
      if (answer === undefined) return Promise.reject(new Error(`nothing was said about ${name}`));
      if (typeof answer !== 'function') return Promise.resolve(answer);
      return Promise.resolve((answer as (args: unknown) => unknown)(args));
    },
  });
  return { service, calls };
}
