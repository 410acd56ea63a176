/** A caller's limit as the contract reads it: whole, within its bounds, the default when absent. */
export function clampLimit(limit: number | undefined, fallback: number, max: number, min = 1): number {
  const whole = Math.floor(limit ?? fallback);
  return Number.isNaN(whole) ? fallback : Math.min(max, Math.max(min, whole));
}
