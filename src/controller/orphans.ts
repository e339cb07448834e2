import type { Logger } from 'pino';
import { sleep } from '../async/sleep.ts';
import type { Tenant } from '../api/tenant.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import { ComputeError } from '../compute/errors.ts';
import type { OwnedResource } from '../compute/provider.ts';

export interface OrphanReportOptions {
  readonly providers: EnabledProviders;
  /** All Tenants of the cluster that this operator watches. */
  readonly tenantOf: (namespace: string, name: string) => Tenant | undefined;
  readonly intervalMs: number;
  readonly logger: Logger;
  readonly onCount: (provider: string, orphans: number) => void;
}

/**
 * Reports, every `intervalMs` until `signal` aborts, what this instance owns on the engines without a Tenant: each
 * orphan once in the log, their number as a metric. It never removes one: a Tenant deleted with Retain looks the same.
 */
export async function reportOrphans(options: OrphanReportOptions, signal: AbortSignal): Promise<void> {
  const reported = new Set<string>();
  while (await sleep(options.intervalMs, signal, { ref: false })) {
    for (const [name, { provider }] of options.providers) {
      const owned = await provider.list(signal).catch((error: unknown) => {
        // What can't be reached now is looked at in the next round.
        if (!(error instanceof ComputeError))
          options.logger.error({ err: error, provider: name }, 'list failed');
        return undefined;
      });
      if (owned !== undefined) report(name, owned, options, reported);
    }
  }
}

function report(
  provider: string,
  owned: readonly OwnedResource[],
  { tenantOf, logger, onCount }: OrphanReportOptions,
  reported: Set<string>,
): void {
  const orphans = owned.filter(({ namespace, name }) => tenantOf(namespace, name) === undefined);
  onCount(provider, orphans.length);
  for (const { resource, tenantId, namespace, name } of orphans) {
    const key = `${provider} ${resource}`;
    if (reported.has(key)) continue;
    reported.add(key);
    logger.warn(
      { provider, resource, tenantId, tenant: `${namespace}/${name}` },
      'orphan: there is no such Tenant; apply it again to take it back, or remove the resource by hand',
    );
  }
}
