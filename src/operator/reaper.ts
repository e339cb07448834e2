import { durationMs } from '../api/duration.ts';
import { allowsRetain } from '../compute/policy-by-namespace.ts';
import type { OperatorConfig } from '../config/operator-config.ts';
import { createReaper } from '../controller/steps/reap.ts';
import type { Reaper, ReaperOptions } from '../controller/steps/reap.ts';
import type { Metrics } from '../observability/metrics.ts';

interface ReaperParts extends Pick<ReaperOptions, 'tenants' | 'known' | 'events' | 'logger'> {
  readonly metrics: Metrics;
}

export function reaperOf(
  { controller, policy }: Pick<OperatorConfig, 'controller' | 'policy'>,
  { metrics, ...parts }: ReaperParts,
): Reaper | undefined {
  const { enabled, grace_period, dry_run } = controller.reaper;
  if (!enabled) return undefined;
  return createReaper({
    ...parts,
    gracePeriodMs: durationMs(grace_period),
    dryRun: dry_run,
    mayRetain: (namespace) => allowsRetain(policy, namespace),
    now: () => performance.now(),
    onDue: (provider, places) => metrics.reaperDue.set({ provider }, places),
    onReaped: (provider) => metrics.reaped.inc({ provider }),
  });
}
