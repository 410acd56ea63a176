/** The rules of OpenTelemetry's own variables, as its specification has them. */
import { Invalid } from './errors.ts';
import { rule, type Rule } from './rule.ts';
import { parseHttpUrl } from './url.ts';

const PLAIN = 'credentials go into OTEL_EXPORTER_OTLP_HEADERS';

/** Where an OTLP receiver is. */
export const otlpEndpoint: Rule<string> = rule(
  `an http or https address without query and fragment, such as http://collector:4318; ${PLAIN}`,
  (text) => {
    parseHttpUrl(text);
    // As it stands: a slash at the end of OTEL_EXPORTER_OTLP_TRACES_ENDPOINT belongs to its path.
    return text;
  },
);

/** `name=value,name=value`, with the values percent-encoded where they hold a comma or a space. */
export function parseList(text: string): [string, string][] {
  const pairs = text.split(',').map((pair) => pair.trim());
  return pairs
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      const name = decoded(pair.slice(0, Math.max(0, at))).trim();
      if (name === '') throw new Invalid('not a list of name=value');
      return [name, decoded(pair.slice(at + 1)).trim()];
    });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Invalid('holds a percent sign that encodes nothing');
  }
}

export const otlpHeaders: Rule<string> = rule(
  'a list such as authorization=Bearer%20abc,x-tenant=one',
  (text) => {
    for (const [name, value] of parseList(text)) {
      if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\t\x20-\x7e]*$/.test(value)) {
        throw new Invalid('holds a header that HTTP does not know');
      }
    }
    return text;
  },
);

export const resourceAttributes: Rule<string> = rule(
  'a list such as deployment.environment.name=production,service.namespace=agents',
  (text) => {
    parseList(text);
    return text;
  },
);

export const samplerArg: Rule<number> = rule('a number from 0 to 1', (text) => {
  if (!/^(?:0|1|0?\.\d+|0\.\d+|1\.0+)$/.test(text)) throw new Invalid('not a number from 0 to 1');
  return Number(text);
});
