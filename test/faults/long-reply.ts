import { once } from 'node:events';
import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';

/** A gateway that answers every run with this one text, in one piece. Stands there until the test is over. */
export async function gatewayThatSays(
  text: string,
): Promise<{ url: string; token: string; runs: () => number }> {
  let runs = 0;
  const reply = JSON.stringify({
    object: 'response',
    status: 'completed',
    output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }],
  });
  const server = createServer((request, response) => {
    const isRun = request.url === '/v1/responses' && request.method === 'POST';
    if (isRun) runs += 1;
    request.resume();
    const answer = isRun ? reply : request.url === '/readyz' ? '{"ready":true}' : null;
    response
      .writeHead(answer === null ? 404 : 200, { 'content-type': 'application/json' })
      .end(answer ?? '{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port ?? 0}`, token: 'local', runs: () => runs };
}
