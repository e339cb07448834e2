import { inject } from 'vitest';
import type { EnabledProviders } from '../../src/compute/enabled-providers.ts';
import type { Provider } from '../../src/compute/provider.ts';
import { ecsOperatorBlock, ecsPolicyBlock } from '../../src/compute/providers/ecs/config.ts';
import { ecsDefinition } from '../../src/compute/providers/ecs/definition.ts';
import type { EcsApi } from '../../src/compute/providers/ecs/ecs-api.ts';
import { createEcsClient } from '../../src/compute/providers/ecs/ecs-client.ts';
import { ecsProvider } from '../../src/compute/providers/ecs/provider.ts';
import { mockDefinition } from '../../src/compute/providers/mock/definition.ts';
import { createMockProvider } from '../../src/compute/providers/mock/provider.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { createTenantController } from '../../src/controller/tenant-controller.ts';
import { createEventRecorder } from '../../src/kube/event-recorder.ts';
import { createKubeClient, loadKubeConfig } from '../../src/kube/kube-client.ts';
import type { KubeClient } from '../../src/kube/kube-client.ts';
import type { Death, DyingOperator } from './dying-operator.ts';
import { silentLogger } from './silent-logger.ts';

export interface EcsDyingOperatorOptions {
  readonly namespace: string;
  /** Label selector: the one Tenant that this operator sees. */
  readonly selector: string;
  /** compute.ecs */
  readonly block: Readonly<Record<string, unknown>>;
  readonly death: Death;
}

/** An operator that dies at a chosen call to ECS: that call, all later ones and all later writes reach nothing. */
export async function startEcsDyingOperator(options: EcsDyingOperatorOptions): Promise<DyingOperator> {
  const stop = new AbortController();
  const died = Promise.withResolvers<string>();
  const calls: string[] = [];
  let dead = false;
  const die = (name: string): never => {
    dead = true;
    stop.abort();
    died.resolve(name);
    throw new Error('dead');
  };
  const guard: Guard = async (name, call) => {
    if (dead) throw new Error('dead');
    calls.push(name);
    const chosen = calls.length === options.death.call;
    if (chosen && options.death.when === 'before') die(name);
    const result = await call();
    if (chosen) die(name);
    if (dead) throw new Error('dead');
    return result;
  };
  const logger = silentLogger;
  const plain = createKubeClient({ kubeConfig: loadKubeConfig(inject('kubeconfigPath')), logger });
  const block = ecsOperatorBlock.parse(options.block);
  const policy = ecsPolicyBlock.parse({});
  const context = {
    instance: options.namespace,
    clusterUid: 'crash-points',
    logger,
    policy: { allowed_images: ['*'], max_resources: { cpu: '', memory: '' } },
    sweepIntervalMs: 60_000,
    settleMs: 300,
  };
  const api = createEcsClient({ block, policy, logger });
  const ecs = ecsProvider(guardedApi(api, guard), block, policy, context);
  const mock = await createMockProvider({ block: {}, policy: {} }, context);
  const providers: EnabledProviders = new Map([
    ['ecs', { definition: ecsDefinition, provider: ecs as Provider, block }],
    ['mock', { definition: mockDefinition, provider: mock, block: {} }],
  ]);
  const controller = createTenantController({
    client: mortal(plain, () => dead),
    blocks: tenantBlocks,
    providers,
    events: createEventRecorder({
      client: plain,
      reportingController: 'landlord.dev/operator',
      reportingInstance: 'test',
      logger,
    }),
    logger,
    concurrency: 4,
    namespaces: [options.namespace],
    tenantSelector: options.selector,
  });
  const running = controller.run(stop.signal, 0);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
    await ecs.close();
    await plain.close();
  };
  return { died: died.promise, calls, stop: end };
}

type Guard = <T>(name: string, call: () => Promise<T>) => Promise<T>;

function mortal(client: KubeClient, isDead: () => boolean): KubeClient {
  return {
    ...client,
    request: async (request) => {
      if (isDead()) throw new Error('dead');
      return client.request(request);
    },
  };
}

function guardedApi(api: EcsApi, guard: Guard): EcsApi {
  return {
    ...api,
    describeService: (...args) => guard('describeService', () => api.describeService(...args)),
    createService: (...args) => guard('createService', () => api.createService(...args)),
    updateService: (...args) => guard('updateService', () => api.updateService(...args)),
    deleteService: (...args) => guard('deleteService', () => api.deleteService(...args)),
    tagResource: (...args) => guard('tagResource', () => api.tagResource(...args)),
    untagResource: (...args) => guard('untagResource', () => api.untagResource(...args)),
    describeTaskDefinition: (...args) =>
      guard('describeTaskDefinition', () => api.describeTaskDefinition(...args)),
    registerTaskDefinition: (...args) =>
      guard('registerTaskDefinition', () => api.registerTaskDefinition(...args)),
    listTaskDefinitions: (...args) => guard('listTaskDefinitions', () => api.listTaskDefinitions(...args)),
    deregisterTaskDefinition: (...args) =>
      guard('deregisterTaskDefinition', () => api.deregisterTaskDefinition(...args)),
    describeTasks: (...args) => guard('describeTasks', () => api.describeTasks(...args)),
  };
}
