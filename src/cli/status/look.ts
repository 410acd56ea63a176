/** Asks a runtime for its health. */
import { parseJson } from '../../http.ts';
import { parseReport, type Report } from './report.ts';

const TIMEOUT_MS = 5_000;

export type Answer =
  | { kind: 'report'; url: string; report: Report; json: string }
  /** One sentence: what is wrong, and what to do. */
  | { kind: 'none'; problem: string };

/** @param urls where the runtime may be, without a path; the first that answers with a report is taken */
export async function look(urls: readonly string[]): Promise<Answer> {
  let problem = 'There is nowhere to look: name the runtime with --url.';
  for (const url of urls) {
    const answer = await ask(url);
    if (answer.kind === 'report') return answer;
    problem = answer.problem;
  }
  return { kind: 'none', problem };
}

async function ask(url: string): Promise<Answer> {
  let text: string;
  try {
    const response = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    text = await response.text();
  } catch {
    const problem = `Nothing answers on ${url}/health: is the runtime running? Start it with npm run dev or npm start, or name another address with --url.`;
    return { kind: 'none', problem };
  }
  const report = parseReport(parseJson(text));
  if (report !== null) return { kind: 'report', url, report, json: text };
  return {
    kind: 'none',
    problem: `${url}/health answers, but not with a health report: is that the runtime's health port?`,
  };
}
