import type { OperatorConfig } from '../config/operator-config.ts';
import type { RolloutLimits, WaveCounts } from '../controller/rollout/wave.ts';
import type { Metrics } from '../observability/metrics.ts';

/** How fast a change of the operator's own goes out, and what is measured of it. */

export function rolloutLimits({ controller }: OperatorConfig): ReadonlyMap<string, RolloutLimits> {
  const limits = Object.entries(controller.rollout).map(
    ([provider, { max_concurrent: maxConcurrent, max_failures: maxFailures }]) =>
      [provider, { maxConcurrent, maxFailures }] as const,
  );
  return new Map(limits);
}

export function rolloutMetrics(metrics: Metrics): (provider: string, counts: WaveCounts) => void {
  return (provider, { waiting, inProgress, failed, halted }) => {
    metrics.rolloutWaiting.set({ provider }, waiting);
    metrics.rolloutInProgress.set({ provider }, inProgress);
    metrics.rolloutFailed.set({ provider }, failed);
    metrics.rolloutHalted.set({ provider }, halted ? 1 : 0);
  };
}
