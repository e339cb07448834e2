import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { group } from './api/names.ts';
import { tenantSpecSchema } from './api/tenant.ts';
import type { Tenant } from './api/tenant.ts';
import type { EnabledProvider, EnabledProviders } from './compute/selection/enabled-providers.ts';
import { fencedProvider } from './compute/fenced-provider.ts';
import { measuredProvider } from './compute/measured-provider.ts';
import type { ProviderContext } from './compute/provider.ts';
import { allowsRetain, policyFor } from './compute/policy-by-namespace.ts';
import { tenantBlocks } from './compute/registry.ts';
import { durationMs } from './api/duration.ts';
import { podNamespace, processEnvironment } from './config/environment.ts';
import type { OperatorConfig } from './config/operator-config.ts';
import { reportOrphans } from './controller/orphans.ts';
import { tenantsResource } from './controller/kube-resources.ts';
import { createTenantController } from './controller/tenant-controller.ts';
import type { TenantController } from './controller/tenant-controller.ts';
import { sharedRun } from './async/shared-run.ts';
import { clusterUid } from './operator/cluster-uid.ts';
import { createEventRecorder } from './kube/events/event-recorder.ts';
import { createKubeClient } from './kube/client/kube-client.ts';
import type { KubeClient } from './kube/client/kube-client.ts';
import { runLeaderElection } from './kube/leader/leader-election.ts';
import type { Tenure } from './kube/leader/leader-election.ts';
import { resource } from './kube/client/resource.ts';
import { installationKey } from './operator/hash-key.ts';
import { capacityWarnings, countCapacity } from './operator/capacity.ts';
import { countTenants } from './operator/cluster-metrics.ts';
import { follow, refusalTexts } from './operator/following.ts';
import type { Following } from './operator/following.ts';
import { enabledDefinitions, readsSecrets } from './operator/enabled-definitions.ts';
import { collectImages } from './operator/image-gc.ts';
import { notReady } from './operator/readiness.ts';
import { rolloutLimits, rolloutMetrics } from './operator/rollouts.ts';
import { reaperOf } from './operator/reaper.ts';
import { boundedLabel } from './observability/bounded-label.ts';
import { startHealthServer } from './observability/http-server.ts';
import type { HealthServer } from './observability/http-server.ts';
import { createMetrics } from './observability/metrics.ts';
import type { Metrics } from './observability/metrics.ts';

/** Kubernetes kills a pod 30 s after SIGTERM. */
const drainMs = 20_000;
const eventFlushMs = 2000;
/** The drain, what was aborted after it, the Events, and some time to let go of sockets. */
const windUpMs = 28_000;

export interface OperatorOptions {
  readonly config: OperatorConfig;
  readonly kubeConfig: KubeConfig;
  readonly logger: Logger;
}

/**
 * Runs the operator until `signal` aborts. The composition root: config, clients, providers, controller.
 * Resolves with `lost` when another replica may lead: the process must end, whatever still goes on in it. Rejects where it can't start.
 */
export async function runOperator(
  options: OperatorOptions,
  signal: AbortSignal,
): Promise<'stopped' | 'lost'> {
  const { config, logger } = options;
  const metrics = createMetrics();
  let tenure: Pick<Tenure, 'isHeld'> = { isHeld: () => true };
  const client = kubeClient(options, { metrics, mayWrite: () => tenure.isHeld() });
  let controller: TenantController | undefined;
  let providers: EnabledProviders = new Map();
  let leads = false;
  let following: Following | undefined;
  // Over all Tenants, and so once for all who ask at the same time.
  const scrape = sharedRun(async () => {
    countTenants(metrics, controller?.tenants);
    countCapacity(metrics, providers);
    return { contentType: metrics.registry.contentType, body: await metrics.registry.metrics() };
  });
  const server = await startHealthServer({
    address: config.server.address,
    metricsAddress: config.server.metrics_address,
    notReady: () =>
      notReady(following?.cluster.tenants, { waits: !leads && config.leader_election.enabled, controller }),
    degraded: () => [...refusalTexts(following?.cluster), ...capacityWarnings(providers)],
    metrics: () => scrape(new AbortController().signal),
  });
  const followed = follow(options, { client, metrics }, (names) => controller?.onNamespaces(names));
  following = followed;
  logStart(options, server);
  try {
    return await lead(options, signal, async (leading, held) => {
      tenure = held;
      leads = true;
      metrics.leader.set(1);
      const cluster = await clusterUid({ client, config, logger }, leading);
      if (cluster === undefined) return;
      const needed = readsSecrets(config);
      const hashKey = await installationKey({ client, config, needed, logger }, leading);
      if (hashKey === undefined) return;
      const policed = { ...options, config: followed.labels?.known(config) ?? config };
      const created = await createProviders(policed, { clusterUid: cluster, hashKey }, metrics);
      providers = fenced(created, held);
      const parts = { ...policed, client, metrics, providers, following: followed, tenure: held };
      await work(parts, leading, (ready) => (controller = ready));
    });
  } finally {
    await followed.end();
    await server.close();
    await client.close();
  }
}

function logStart({ config, logger }: OperatorOptions, { port, metricsPort }: HealthServer): void {
  const { instance, compute } = config;
  logger.info({ port, metricsPort, instance, providers: Object.keys(compute) }, 'Landlord starts');
}

/** The providers of a leader: they take no step without the lease. */
function fenced(providers: EnabledProviders, tenure: Tenure): EnabledProviders {
  return new Map(
    [...providers].map(([name, enabled]) => [
      name,
      { ...enabled, provider: fencedProvider(enabled.provider, () => tenure.isHeld()) },
    ]),
  );
}

interface ClientUse {
  readonly metrics?: Metrics;
  readonly mayWrite?: () => boolean;
}

function kubeClient({ kubeConfig, logger }: OperatorOptions, use: ClientUse = {}): KubeClient {
  const { metrics, mayWrite } = use;
  return createKubeClient({
    kubeConfig,
    logger,
    userAgent: 'landlord',
    execEnv: { ...processEnvironment() },
    ...(mayWrite && { mayWrite }),
    ...(metrics === undefined
      ? {}
      : {
          onRequest: ({ method, resource, code, durationMs }) =>
            metrics.kubeSeconds.observe({ method, resource, code }, durationMs / 1000),
        }),
  });
}

/** Runs `onStarted` at once, or, with leader election, once this replica leads. */
async function lead(
  options: OperatorOptions,
  signal: AbortSignal,
  onStarted: (signal: AbortSignal, tenure: Tenure) => Promise<void>,
): Promise<'stopped' | 'lost'> {
  const { config, logger } = options;
  const { enabled, namespace, name, lease_duration, renew_deadline, retry_period } = config.leader_election;
  if (!enabled) {
    await onStarted(signal, { lost: new AbortController().signal, isHeld: () => true });
    return 'stopped';
  }
  // Its own connection: no queue of other requests ever stands before a renewal.
  const leaseClient = kubeClient(options);
  try {
    const ended = await runLeaderElection({
      client: leaseClient,
      namespace: namespace === '' ? podNamespace() : namespace,
      name,
      identity: `${hostname()}_${randomUUID().slice(0, 8)}`,
      leaseDurationMs: durationMs(lease_duration),
      renewDeadlineMs: durationMs(renew_deadline),
      retryPeriodMs: durationMs(retry_period),
      onStarted,
      windUpMs,
      logger,
      signal,
    });
    return ended === 'lost' ? 'lost' : 'stopped';
  } finally {
    await leaseClient.close();
  }
}

/** Loads and builds what the config enables; no other provider's SDK comes into memory. */
async function createProviders(
  { config, logger }: OperatorOptions,
  identity: Pick<ProviderContext, 'clusterUid' | 'hashKey'>,
  metrics: Metrics,
): Promise<EnabledProviders> {
  const created = enabledDefinitions(config).map(async (definition): Promise<[string, EnabledProvider]> => {
    const { name } = definition;
    const block = config.compute[name] ?? {};
    const context: ProviderContext = {
      instance: config.instance,
      ...identity,
      logger: logger.child({ provider: name }),
      policy: config.policy,
      sweepIntervalMs: durationMs(config.controller.resync_interval),
    };
    const create = await definition.load();
    const policy = (config.policy as Readonly<Record<string, unknown>>)[name];
    const provider = measuredProvider(await create({ block, policy }, context), (operation, result, ms) =>
      metrics.providerSeconds.observe({ provider: name, operation, result }, ms / 1000),
    );
    return [name, { definition, provider, block }];
  });
  return new Map(await Promise.all(created));
}

const specSchema = tenantSpecSchema(tenantBlocks);

interface WorkOptions extends OperatorOptions {
  readonly client: KubeClient;
  readonly metrics: Metrics;
  readonly providers: EnabledProviders;
  readonly following: Following;
  readonly tenure: Tenure;
}

/** More accounts and regions than most have, and few enough for a histogram. */
const mostLaneLabels = 32;

async function work(
  { config, logger, client, metrics, providers, following: { cluster, labels }, tenure }: WorkOptions,
  signal: AbortSignal,
  onReady: (controller: TenantController) => void,
): Promise<void> {
  const events = createEventRecorder({
    client,
    reportingController: `${group}/operator`,
    reportingInstance: hostname(),
    onDropped: (reason) => metrics.eventsDropped.inc({ reason }),
    logger,
  });
  const laneLabel = boundedLabel(mostLaneLabels);
  const controller = createTenantController({
    client,
    specSchema,
    providers,
    events,
    logger,
    instance: config.instance,
    concurrency: config.controller.concurrency,
    namespaces: config.controller.namespaces,
    tenantSelector: config.controller.tenant_selector,
    cluster,
    mayRetain: (namespace) => allowsRetain(config.policy, namespace),
    freeTenantIds: (namespace) => policyFor(config.policy, namespace).free_tenant_ids,
    rollouts: rolloutLimits(config),
    metrics: {
      onOrphaned: () => metrics.orphaned.inc(),
      onRollout: rolloutMetrics(metrics),
      queue: {
        onDepth: (depth) => metrics.queueDepth.set(depth),
        onStart: ({ lane, urgency, waitedMs }) =>
          metrics.queueWaitSeconds.observe({ lane: laneLabel(lane), urgency }, waitedMs / 1000),
        onDone: (_key, info) =>
          metrics.reconcileSeconds.observe({ result: info.failed ? 'failed' : 'ok' }, info.durationMs / 1000),
      },
    },
  });
  const tenants = resource<Tenant>(client, tenantsResource);
  const intervalMs = durationMs(config.controller.resync_interval);
  const orphans = reportOrphans(
    {
      providers,
      known: controller.tenants,
      tenants,
      intervalMs,
      logger,
      onCount: (provider, count) => metrics.orphans.set({ provider }, count),
      reaper: reaperOf(config, { tenants, known: () => controller.tenants.size, events, logger, metrics }),
    },
    signal,
  );
  const images = collectImages({ providers, known: controller.tenants, intervalMs, metrics, logger }, signal);
  await labels?.settled(signal);
  onReady(controller);
  await controller.run(signal, drainMs, tenure.lost);
  await Promise.all([orphans, images, ...[...providers.values()].map(({ provider }) => provider.close())]);
  await events.flush(eventFlushMs);
}
