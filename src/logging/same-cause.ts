/**
 * What several machines say of one trouble is one line in the log: whoever comes first tells it, the others are for
 * those who look closer. Two sentences have one cause when they differ in what cannot be done for it, in the function
 * that was called, and in the request's id.
 */
export function causeOf(problem: string): string {
  return problem
    .replace(/^The [a-z ]+ cannot be [a-z ]+\. /, '')
    .replace(/\(request \w+\)/g, '')
    .replace(/\b[a-z]+(?:[A-Z][a-z]*)+\b/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}
