import type { ContainerSpec } from '../spec/tenant-compute-spec.ts';

type HealthCheck = NonNullable<ContainerSpec['healthCheck']>;

/**
 * Milliseconds after which an engine has come to a judgement at the latest: the start period, then every try until
 * the retries are used up, each as slow as it may be.
 */
export function longestHealthCheckMs(check: HealthCheck): number {
  const { intervalSeconds, retries, startPeriodSeconds, timeoutSeconds = intervalSeconds } = check;
  return 1000 * (startPeriodSeconds + (retries + 1) * (intervalSeconds + timeoutSeconds));
}
