/**
 * When several machines report the same trouble, the log has one line of it at its level, and the others at debug. Two
 * sentences have the same cause if they differ only in what cannot be done, in the function that was called, and in the
 * id of the request.
 */
export function causeOf(problem: string): string {
  return problem
    .replace(/^The [a-z ]+ cannot be [a-z ]+\. /, '')
    .replace(/\(request \w+\)/g, '')
    .replace(/\b[a-z]+(?:[A-Z][a-z]*)+\b/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}
