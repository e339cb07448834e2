import type { Logger } from 'pino';
import { createMockProvider } from '../../src/compute/providers/mock/provider.ts';
import { mockDefinition } from '../../src/compute/providers/mock/definition.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { dockerOperatorBlock, dockerPolicyBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerProvider } from '../../src/compute/providers/docker/provider.ts';
import type { ProviderContext } from '../../src/compute/provider.ts';
import type { EnabledProvider, EnabledProviders } from '../../src/compute/selection/enabled-providers.ts';
import { reportOrphans } from '../../src/controller/orphans.ts';
import { tenantsResource } from '../../src/controller/kube-resources.ts';
import { createTenantController } from '../../src/controller/tenant-controller.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { collectImages } from '../../src/operator/image-gc.ts';
import { resource } from '../../src/kube/client/resource.ts';
import { createEventRecorder } from '../../src/kube/events/event-recorder.ts';
import { ecsOperatorBlock, ecsPolicyBlock } from '../../src/compute/providers/ecs/config.ts';
import { ecsDefinition } from '../../src/compute/providers/ecs/definition.ts';
import { ecsProvider } from '../../src/compute/providers/ecs/provider.ts';
import { ecsClient } from './models/ecs-client.ts';
import { dockerClient } from './models/docker-client.ts';
import { simulatedKubeClient } from './models/apiserver.ts';
import { createProcess } from './process.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';
import { hashKey } from '../compute/hash-key.ts';

/** What an operator's config says. */
/** What the specs of the scenarios name. */
const ecsPolicy = { allowed_target_groups: ['*'], allowed_keys: ['enable_execute_command'] };

export interface OperatorConfig {
  /** compute.docker; undefined: the provider is not enabled. */
  readonly docker?: Readonly<Record<string, unknown>> | undefined;
  readonly ecs?: Readonly<Record<string, unknown>> | undefined;
  readonly mock?: Readonly<Record<string, unknown>> | undefined;
  /** The engine that `compute.docker.host` leads to. */
  readonly engine: string;
  /** By which of its addresses. Default: unix. */
  readonly way?: 'unix' | 'tcp';
  readonly tenantSelector?: string;
}

/** An operator at work: the real controller, cache, queue and providers, put together as operator.ts does. */
export interface Operator {
  readonly process: Process;
  readonly config: OperatorConfig;
  /** Since when it runs. */
  readonly startedMs: number;
  /** What it holds in its own memory, by `namespace/name`. */
  mocked(): Promise<readonly string[]>;
  /** Ends as on SIGTERM. */
  stop(): Promise<void>;
  /** Ends as on SIGKILL: from here on, nothing that it does has an effect. */
  crash(): void;
}

/** A sweep is due every five minutes. */
const sweepIntervalMs = 300_000;
const drainMs = 20_000;
/** One for all runs: nobody reads them. */
const metrics = createMetrics();

export const clusterUid = 'cluster-1';

export function startOperator(world: World, name: string, config: OperatorConfig): Operator {
  const process = createProcess(name);
  const client = simulatedKubeClient(world.apiserver, world.apiserverNetwork, process);
  const logger = simulationLogger(world, process);
  const providers = enabledProviders({ world, config, process, logger });
  const events = createEventRecorder({
    client,
    reportingController: 'landlord.dev/operator',
    reportingInstance: name,
    logger,
  });
  const controller = createTenantController({
    client,
    specSchema: world.specSchema,
    providers,
    events,
    logger,
    instance: 'default',
    concurrency: 4,
    namespaces: [],
    tenantSelector: config.tenantSelector ?? '',
    freeTenantIds: () => true,
    metrics: { queue: { onDone: (key) => world.onPass(key, name) } },
  });
  const ending = new AbortController();
  const orphans = reportOrphans(
    {
      providers,
      known: controller.tenants,
      tenants: resource<Tenant>(client, tenantsResource),
      intervalMs: sweepIntervalMs,
      logger,
      onCount: () => undefined,
    },
    ending.signal,
  );
  const images = collectImages(
    { providers, known: controller.tenants, intervalMs: sweepIntervalMs, metrics, logger },
    ending.signal,
  );
  const running = controller.run(ending.signal, drainMs);
  return {
    process,
    config,
    startedMs: world.time.now(),
    async mocked() {
      const owned = await providers.get('mock')?.provider.list(ending.signal);
      return (owned ?? []).map(({ namespace, name }) => `${namespace}/${name}`);
    },
    async stop() {
      ending.abort(new Error('stopped'));
      await running;
      await Promise.all([orphans, images]);
      for (const { provider } of providers.values()) await provider.close();
      process.kill();
    },
    crash() {
      process.kill();
      ending.abort(new Error('killed'));
    },
  };
}

interface Parts {
  readonly world: World;
  readonly config: OperatorConfig;
  readonly process: Process;
  readonly logger: Logger;
}

function enabledProviders({ world, config, process, logger }: Parts): EnabledProviders {
  const context: ProviderContext = {
    instance: 'default',
    clusterUid,
    hashKey,
    logger,
    policy: {
      allowed_images: ['*'],
      max_resources: { cpu: '', memory: '' },
      default_resources: { cpu: '', memory: '' },
    },
    sweepIntervalMs,
  };
  const enabled = new Map<string, EnabledProvider>();
  if (config.docker !== undefined) {
    const engines = [...world.engines.keys()];
    const former_hosts = ['unix', 'tcp'].flatMap((way) => engines.map((name) => `${way}://${name}`));
    const block = dockerOperatorBlock.parse({ former_hosts, ...config.docker });
    const connect = (host: string) => dockerClient(world.engineAt(host), world.engineNetwork, process);
    const engine = connect(`${config.way ?? 'unix'}://${config.engine}`);
    const provider = dockerProvider(engine, block, dockerPolicyBlock.parse({}), { ...context, connect });
    enabled.set('docker', { definition: dockerDefinition, provider, block });
  }
  if (config.ecs !== undefined) {
    const block = ecsOperatorBlock.parse(config.ecs);
    const provider = ecsProvider(ecsClient(world, process), block, ecsPolicyBlock.parse(ecsPolicy), context);
    enabled.set('ecs', { definition: ecsDefinition, provider, block });
  }
  if (config.mock !== undefined) {
    // It calls nothing: the provider itself is there at once.
    const provider = createMockProvider(
      { block: config.mock, policy: undefined },
      context,
    ) as EnabledProvider['provider'];
    enabled.set('mock', { definition: mockDefinition, provider, block: config.mock });
  }
  return enabled;
}

function simulationLogger(world: World, process: Process): Logger {
  const at = (level: string) => (fields: Record<string, unknown> | string, message?: string) => {
    if (!process.isAlive) return;
    if (typeof fields === 'string') world.onLog({ level, by: process.name, fields: {}, message: fields });
    else world.onLog({ level, by: process.name, fields, message: message ?? '' });
  };
  const quiet = (): void => undefined;
  const logger = {
    trace: quiet,
    debug: quiet,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger as unknown as Logger;
}
