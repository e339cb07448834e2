import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { eventLoopDelay } from './event-loop-delay.ts';

/** Every metric that Landlord serves. */
export type Metrics = ReturnType<typeof createMetrics>;

/** Seconds; from a local call to a slow engine. */
const durationBuckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 60];

/** How metrics are made that the registry serves. */
function makersOf(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name: `landlord_${name}`, help, labelNames: [...labelNames], registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Histogram({
      name: `landlord_${name}`,
      help,
      labelNames: [...labelNames],
      registers,
      buckets: durationBuckets,
    });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name: `landlord_${name}`, help, labelNames: [...labelNames], registers });
  return { counter, histogram, gauge };
}

export function createMetrics() {
  const registry = new Registry();
  const makers = makersOf(registry);
  const { counter, histogram, gauge } = makers;
  return {
    registry,
    tenants: gauge('tenants', 'Tenants by provider and by reason of the condition Ready.', [
      'provider',
      'reason',
    ]),
    orphans: gauge('orphans', 'Owned resources without a Tenant, as of the last sweep.', ['provider']),
    orphaned: counter(
      'orphaned_total',
      'Tenants whose finalizer somebody took away while something of theirs was there.',
    ),
    reaperDue: gauge('reaper_due', 'Places that the reaper is to empty, or would without dry_run.', [
      'provider',
    ]),
    reaped: counter('reaped_total', 'Places that the reaper has emptied.', ['provider']),
    reconcileSeconds: histogram('reconcile_duration_seconds', 'Duration of a pass over one Tenant.', [
      'result',
    ]),
    queueDepth: gauge('queue_depth', 'Tenants that wait for a worker.'),
    queueWaitSeconds: histogram(
      'queue_wait_seconds',
      'Time for which a Tenant waited for a worker of its lane, which is one engine, or one role in a region.',
      ['lane', 'urgency'],
    ),
    providerSeconds: histogram('provider_duration_seconds', "Duration of a provider's operation.", [
      'provider',
      'operation',
      'result',
    ]),
    kubeSeconds: histogram('kube_request_duration_seconds', 'Duration of a request to the apiserver.', [
      'method',
      'resource',
      'code',
    ]),
    watchRelists: counter('watch_relists_total', 'Times that everything was read afresh.', ['resource']),
    watchReconnects: counter('watch_reconnects_total', 'Times that a watch broke and was opened again.', [
      'resource',
      'reason',
    ]),
    watchEvents: counter('watch_events_total', 'Events of watches.', ['resource']),
    eventsDropped: counter(
      'events_dropped_total',
      'Events that nobody will read: `rate`, too many of one Tenant; `queue`, too many waited; `refused` by the apiserver.',
      ['reason'],
    ),
    ...rolloutGauges(makers),
    ...capacityGauges(makers),
    ...imageMetrics(makers),
    leader: gauge('leader', 'Whether this replica leads.'),
    eventLoopDelay: eventLoopDelay(registry),
  };
}

/** How far the operator's own changes are, where they go out in waves. */
function rolloutGauges({ gauge }: ReturnType<typeof makersOf>) {
  return {
    rolloutWaiting: gauge('rollout_waiting', 'Tenants that wait for their turn in a rollout.', ['provider']),
    rolloutInProgress: gauge('rollout_in_progress', 'Tenants that a rollout is updating.', ['provider']),
    rolloutFailed: gauge(
      'rollout_failed',
      'Tenants that a rollout has updated, and that were rolled back or not Ready in time.',
      ['provider'],
    ),
    rolloutHalted: gauge('rollout_halted', 'Whether nobody begins any more, for too many have failed.', [
      'provider',
    ]),
  };
}

/** What `image_gc` does on each Docker Engine, named as in `capacityGauges`. */
function imageMetrics({ counter, gauge }: ReturnType<typeof makersOf>) {
  return {
    dockerImagesKept: gauge(
      'docker_images_kept',
      'Images on the engine, as of the last sweep, by why they stay: `others` (not brought by Landlord alone), `used`, `wanted`, `rollback`, `grace`, `due` (would go, but for dry_run, or the engine does not let them).',
      ['engine', 'why'],
    ),
    dockerImagesRemoved: counter('docker_images_removed_total', 'Images that nobody needed any more.', [
      'engine',
    ]),
    dockerImagesRemovedBytes: counter(
      'docker_images_removed_bytes_total',
      'Bytes of these images, layers that they shared with others among them.',
      ['engine'],
    ),
  };
}

/** What is left on each Docker Engine, of which `engine` is the name: empty for the one of `compute.docker.host`. */
function capacityGauges({ gauge }: ReturnType<typeof makersOf>) {
  const labels = ['engine'] as const;
  return {
    dockerNetworksFree: gauge(
      'docker_networks_free',
      'Networks of the smallest size (/28) that network_pool has left, as of the last sweep.',
      labels,
    ),
    dockerAddressesFree: gauge(
      'docker_addresses_free',
      'Addresses of network_pool that are in no network, as of the last sweep.',
      labels,
    ),
    dockerSharedNetworkPortsFree: gauge(
      'docker_shared_network_ports_free',
      'Containers that the network still takes which Tenants share (network_name), as of the last sweep.',
      labels,
    ),
  };
}
