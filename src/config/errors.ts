/** The settings are wrong. `problems` holds one sentence for each, all of them at once; none holds a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: string[];

  constructor(problems: string[]) {
    const count = problems.length === 1 ? 'One setting is' : `${problems.length} settings are`;
    super([`${count} wrong:`, ...problems.map((problem) => `  ${problem}`)].join('\n'));
    this.problems = problems;
  }
}

/** One value breaks its rule. The message says what is wrong and never holds the value itself. */
export class Invalid extends Error {
  override readonly name = 'Invalid';
  /** What to set instead, where the rule's own text would not help. The sentence puts it after a semicolon. */
  readonly fix: string | null;

  constructor(what: string, fix: string | null = null) {
    super(what);
    this.fix = fix;
  }
}

/** A number outside its range. The nearest allowed one is used instead, with a warning. */
export class OutOfRange extends Invalid {
  /** The nearest allowed value, as an operator would write it. */
  readonly nearest: string;

  constructor(what: string, nearest: string) {
    super(what);
    this.nearest = nearest;
  }
}
