import { checkFigures } from '../../api/container/health-check.ts';
import type { HealthCheck } from '../../api/container/health-check.ts';

/**
 * Milliseconds after which an engine has come to a judgement at the latest: the start period, then every try until
 * the retries are used up, each as slow as it may be. Of one that is switched off there is none to wait for.
 */
export function longestHealthCheckMs(check: HealthCheck): number {
  if (check.disable === true) return 0;
  const { intervalSeconds, retries, startPeriodSeconds } = checkFigures(check);
  const { timeoutSeconds = intervalSeconds } = check;
  return 1000 * (startPeriodSeconds + (retries + 1) * (intervalSeconds + timeoutSeconds));
}
