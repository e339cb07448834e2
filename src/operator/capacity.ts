import type { CapacityKind } from '../compute/capacity.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import type { Metrics } from '../observability/metrics.ts';

/** What is told of what engines have only so much of. */

export function countCapacity(metrics: Metrics, providers: EnabledProviders): void {
  const gauges = {
    networks: metrics.dockerNetworksFree,
    addresses: metrics.dockerAddressesFree,
    shared_network_ports: metrics.dockerSharedNetworkPortsFree,
  } satisfies Record<CapacityKind, unknown>;
  for (const gauge of Object.values(gauges)) gauge.reset();
  for (const { provider } of providers.values())
    for (const { of, domain, free } of provider.capacity?.() ?? []) gauges[of].set({ engine: domain }, free);
}

/** A line for each of which few are left. */
export function capacityWarnings(providers: EnabledProviders): readonly string[] {
  return [...providers].flatMap(([name, { provider }]) =>
    (provider.capacity?.() ?? []).flatMap(({ domain, warning }) =>
      warning === undefined ? [] : [`${name}${domain === '' ? '' : ` ${domain}`}: ${warning}`],
    ),
  );
}
