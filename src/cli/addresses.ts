/**
 * Where a runtime's health port may be.
 * @param url the value of `--url`
 * @param ofDev the address of the runtime of `npm run dev`, if that is running
 * @throws Error when `--url` is not an http address
 */
export function addressesOf(url: string | undefined, ofDev: string | undefined): string[] {
  const fallback = `http://127.0.0.1:${process.env.HEALTH_PORT ?? '3000'}`;
  if (url === undefined) return [ofDev, fallback].filter((one) => one !== undefined);
  const parsed = URL.parse(url);
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new Error(
      `--url is "${url}", which is not an http address: give one such as http://127.0.0.1:3000.`,
    );
  }
  return [parsed.origin];
}
