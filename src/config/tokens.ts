import { Invalid } from './errors.ts';
import { rule, type Rule } from './rule.ts';

const LONGEST_TOKEN = 512;

/** Both tokens go into a header or a body, so each is one printable word. */
function checkWord(text: string): void {
  if (text.length > LONGEST_TOKEN) throw new Invalid(`longer than ${LONGEST_TOKEN} characters`);
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Invalid('not one word of printable ASCII characters');
}

/** The backend's own checks, in its order (docs/contract.md#token). */
export const serviceToken: Rule<string> = rule(
  'the token that was minted for ACCOUNT_ID, mc_service_<account>_<secret>',
  (text) => {
    checkWord(text);
    if (!text.startsWith('mc_service_')) throw new Invalid('does not begin with mc_service_');
    const [, , account, ...secret] = text.split('_');
    if (!account || secret.join('_') === '') throw new Invalid('lacks its account or its secret');
    return text;
  },
);

/** The account that a valid service token was minted for. */
export const accountOf = (token: string): string => token.split('_')[2] ?? '';

export const gatewayToken: Rule<string> = rule('the token that the gateway was started with', (text) => {
  checkWord(text);
  return text;
});
