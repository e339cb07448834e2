import { z } from 'zod';

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const pattern = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$/;

/** A duration such as `15s` or `5m`; parsed into milliseconds. */
export const duration = z
  .string()
  .regex(pattern, { error: 'must be a duration such as 500ms, 15s, 5m or 1h', abort: true })
  .refine((text) => durationMs(text) > 0, 'must be more than nothing');

/** Milliseconds of what `duration` has accepted; NaN for anything else. */
export function durationMs(text: string): number {
  const [, amount, unit] = pattern.exec(text) ?? [];
  return Number(amount) * unitMs[unit as keyof typeof unitMs];
}
