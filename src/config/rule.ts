/** How one value is read, and how that reads in a sentence. */
export interface Rule<T> {
  /** Completes "set ...", in --help, in docs/reference/settings.md and in every complaint. */
  text: string;
  /** @throws Invalid */
  parse: (text: string) => T;
  /** The value as an operator would write it. */
  show: (value: T) => string;
}

/** A rule whose values are shown as they are written. */
export const rule = <T extends string | number>(text: string, parse: (text: string) => T): Rule<T> => ({
  text,
  parse,
  show: String,
});
