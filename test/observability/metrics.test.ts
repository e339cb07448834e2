import { expect, test } from 'vitest';
import { createMetrics } from '../../src/observability/metrics.ts';

test('the names, labels and kinds of the metrics are what dashboards rely on', async () => {
  const metrics = await createMetrics().registry.getMetricsAsJSON();
  const exposed = createMetrics();
  exposed.tenants.inc({ provider: 'mock', reason: 'Running' });
  expect(metrics.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'landlord_tenants gauge',
    'landlord_orphans gauge',
    'landlord_orphaned_total counter',
    'landlord_reaper_due gauge',
    'landlord_reaped_total counter',
    'landlord_reconcile_duration_seconds histogram',
    'landlord_queue_depth gauge',
    'landlord_queue_wait_seconds histogram',
    'landlord_provider_duration_seconds histogram',
    'landlord_kube_request_duration_seconds histogram',
    'landlord_watch_relists_total counter',
    'landlord_watch_reconnects_total counter',
    'landlord_watch_events_total counter',
    'landlord_events_dropped_total counter',
    'landlord_rollout_waiting gauge',
    'landlord_rollout_in_progress gauge',
    'landlord_rollout_failed gauge',
    'landlord_rollout_halted gauge',
    'landlord_docker_networks_free gauge',
    'landlord_docker_addresses_free gauge',
    'landlord_docker_shared_network_ports_free gauge',
    'landlord_docker_images_kept gauge',
    'landlord_docker_images_removed_total counter',
    'landlord_docker_images_removed_bytes_total counter',
    'landlord_leader gauge',
    'landlord_event_loop_delay_seconds gauge',
  ]);
  expect(await exposed.registry.metrics()).toContain(
    'landlord_tenants{provider="mock",reason="Running"} 1\n',
  );
});

test('every metric says what it counts', async () => {
  const metrics = await createMetrics().registry.getMetricsAsJSON();
  for (const { name, help } of metrics)
    expect([name, help]).toEqual([name, expect.stringMatching(/^[A-Z].+\.$/)]);
});

test('two operators in one process do not share their metrics', async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.leader.set(1);
  expect(await other.registry.metrics()).toContain('landlord_leader 0\n');
});
