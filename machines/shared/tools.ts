/** What an agent may ask of the runtime during a run, and what it is answered. */

/** A tool as it is offered with a run: OpenResponses' function tool, its fields side by side and not under `function`. */
export interface ToolSchema {
  type: 'function';
  name: string;
  description: string;
  /** A JSON schema of the type object: the gateway fails on a tool that has none. */
  parameters: Readonly<Record<string, unknown>>;
}

/** A call in the agent's answer: OpenResponses' `function_call`. */
export interface ToolCall {
  callId: string;
  name: string;
  /** JSON text as the model wrote it: it may be anything. */
  arguments: string;
}

/** Tokens of one round, as the gateway reports them. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
}
