import { expect, test } from 'vitest';
import type { Capacity } from '../../src/compute/capacity.ts';
import { fencedProvider } from '../../src/compute/fenced-provider.ts';
import { measuredProvider } from '../../src/compute/measured-provider.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { capacityWarnings, countCapacity } from '../../src/operator/capacity.ts';
import { scriptedProvider } from '../controller/scripted-provider.ts';

/** As the operator wraps it. */
function withCapacity(known: () => readonly Capacity[]) {
  const docker = scriptedProvider('docker');
  const bare = { ...docker.enabled.provider, capacity: known };
  const provider = fencedProvider(
    measuredProvider(bare, () => undefined),
    () => true,
  );
  const ecs = scriptedProvider('ecs').enabled;
  return new Map([
    ['docker', { ...docker.enabled, provider }],
    ['ecs', ecs],
  ]);
}

const networks = { of: 'networks', free: 3, total: 256 } as const;

test('what is left is a metric by engine, as it is by the scrape, and of what is gone there is none', async () => {
  const metrics = createMetrics();
  let known: readonly Capacity[] = [
    { ...networks, domain: '' },
    { domain: 'edge-1', of: 'addresses', free: 48, total: 256 },
    { domain: '', of: 'shared_network_ports', free: 1, total: 1_023 },
  ];
  const providers = withCapacity(() => known);
  countCapacity(metrics, providers);
  const text = await metrics.registry.metrics();
  expect(text).toContain('landlord_docker_networks_free{engine=""} 3\n');
  expect(text).toContain('landlord_docker_addresses_free{engine="edge-1"} 48\n');
  expect(text).toContain('landlord_docker_shared_network_ports_free{engine=""} 1\n');
  known = [{ ...networks, domain: '', free: 2 }];
  countCapacity(metrics, providers);
  const later = await metrics.registry.metrics();
  expect(later).toContain('landlord_docker_networks_free{engine=""} 2\n');
  expect(later).not.toContain('landlord_docker_shared_network_ports_free{');
});

test('few are told of with provider and engine, and enough are not', () => {
  const known: readonly Capacity[] = [
    { ...networks, domain: '', warning: 'few' },
    { ...networks, domain: 'edge-1', warning: 'few there' },
    { domain: '', of: 'addresses', free: 200, total: 256 },
  ];
  expect(capacityWarnings(withCapacity(() => known))).toEqual(['docker: few', 'docker edge-1: few there']);
});
