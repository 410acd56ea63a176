/** What an agent may ask of the runtime during a run, and what it is answered. */

/** A call in the agent's answer: OpenResponses' `function_call`. */
export interface ToolCall {
  callId: string;
  name: string;
  /** JSON text as the model wrote it: it may be anything. */
  arguments: string;
}

/** The answer to a call: OpenResponses' `function_call_output`. */
export interface ToolResult {
  callId: string;
  /** JSON text: the envelope of docs/agents.md. */
  output: string;
}

/** Tokens of one round, as the gateway reports them. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
}
