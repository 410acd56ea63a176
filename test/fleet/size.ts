/** Set by `npm run fleet`. */
export const VARIABLE = 'FLEET_ACCOUNTS';

const asked = process.env[VARIABLE];

/** A few with `npm test`. */
export const ACCOUNTS = Number(asked ?? 3);

/** Whether to measure what an account costs, which takes a while. */
export const MEASURES = asked !== undefined;
