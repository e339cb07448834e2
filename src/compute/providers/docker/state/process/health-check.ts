import { checkFigures } from '../../../../../api/container/health-check.ts';
import type { HealthCheck } from '../../../../../api/container/health-check.ts';
import { durationMs } from '../../../../../api/duration.ts';
import { denied } from '../../../../policy.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { DockerPolicy } from '../../config.ts';
import { probeCommand } from '../probe/probe.ts';
import type { EngineHealthCheck } from '../confinement/image-health-check.ts';

/** A tenant's health check in the engine's words, which has its times in nanoseconds. `architecture`: the image's. */
export function engineHealthCheck(check: HealthCheck, architecture: string): EngineHealthCheck {
  const { disable, shell, startIntervalSeconds } = check;
  const command = probeCommand(check, architecture) ?? check.command ?? [];
  if (disable === true) return { Test: ['NONE'] };
  const { intervalSeconds, timeoutSeconds, retries, startPeriodSeconds } = checkFigures(check);
  return {
    Test: shell === undefined ? ['CMD', ...command] : ['CMD-SHELL', shell],
    Interval: nanoseconds(intervalSeconds),
    Timeout: nanoseconds(timeoutSeconds),
    Retries: retries,
    StartPeriod: nanoseconds(startPeriodSeconds),
    ...(startIntervalSeconds === undefined ? {} : { StartInterval: nanoseconds(startIntervalSeconds) }),
  };
}

/** In whole milliseconds, of which the engine takes one at the least, where it is not none. */
function nanoseconds(seconds: number): number {
  return Math.ceil(Math.round(seconds * 1e6) / 1e3) * 1e6;
}

/** Throws PolicyDenied for a check that would keep the engine busier than it may. */
export function checkHealthChecks(
  containers: readonly ContainerSpec[],
  { min_health_interval: least }: Pick<DockerPolicy, 'min_health_interval'>,
): void {
  for (const { name, healthCheck = {} } of containers) {
    for (const field of ['intervalSeconds', 'startIntervalSeconds'] as const) {
      const seconds = healthCheck[field];
      if (seconds === undefined || seconds * 1000 >= durationMs(least)) continue;
      const what = `container ${name}: healthCheck.${field} is ${seconds}, and there must be ${least} between two checks`;
      throw denied('docker.min_health_interval', what, 'Check less often');
    }
  }
}
