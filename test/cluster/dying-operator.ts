import { inject } from 'vitest';
import { dockerOperatorBlock, dockerPolicyBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { createEngineClient } from '../../src/compute/providers/docker/engine-client.ts';
import { dockerProvider } from '../../src/compute/providers/docker/provider.ts';
import { mockDefinition } from '../../src/compute/providers/mock/definition.ts';
import { createMockProvider } from '../../src/compute/providers/mock/provider.ts';
import type { EnabledProviders } from '../../src/compute/enabled-providers.ts';
import type { Provider } from '../../src/compute/provider.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { createTenantController } from '../../src/controller/tenant-controller.ts';
import { createEventRecorder } from '../../src/kube/event-recorder.ts';
import { createKubeClient, loadKubeConfig } from '../../src/kube/kube-client.ts';
import type { KubeClient, RequestOptions } from '../../src/kube/kube-client.ts';
import { dockerBlock } from './docker-tenants.ts';
import { silentLogger } from './silent-logger.ts';

/** A death at the `call`-th call (from 1) of a provider or write to the apiserver; Infinity: none. */
export interface Death {
  readonly call: number;
  readonly when: 'before' | 'after';
}

export interface DyingOperator {
  /** Resolves with the name of the call that it died at. */
  readonly died: Promise<string>;
  /** The calls so far. */
  readonly calls: readonly string[];
  stop(): Promise<void>;
}

export interface DyingOperatorOptions {
  readonly namespace: string;
  /** Label selector: the one Tenant that this operator sees. */
  readonly selector: string;
  readonly image: string;
  readonly death: Death;
}

/** An operator in this process that dies at a chosen call: that call and all later ones never reach anything. */
export async function startDyingOperator(options: DyingOperatorOptions): Promise<DyingOperator> {
  const stop = new AbortController();
  const died = Promise.withResolvers<string>();
  const calls: string[] = [];
  let dead = false;
  const guard = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
    if (dead) throw new Error('dead');
    calls.push(name);
    const chosen = calls.length === options.death.call;
    const die = (): never => {
      dead = true;
      stop.abort();
      died.resolve(name);
      throw new Error('dead');
    };
    if (chosen && options.death.when === 'before') die();
    const result = await call();
    if (chosen) die();
    if (dead) throw new Error('dead');
    return result;
  };
  const logger = silentLogger;
  const plain = createKubeClient({ kubeConfig: loadKubeConfig(inject('kubeconfigPath')), logger });
  const client = guardedClient(plain, guard);
  const clusterUid = 'crash-points';
  const context = {
    instance: options.namespace,
    clusterUid,
    logger,
    policy: { allowed_images: ['*'], max_resources: { cpu: '', memory: '' } } as const,
    sweepIntervalMs: 60_000,
    settleMs: 300,
  };
  const block = dockerOperatorBlock.parse(dockerBlock(options.image));
  const engine = createEngineClient({ host: block.host, logger });
  const docker = dockerProvider(engine, block, dockerPolicyBlock.parse({}), {
    ...context,
    policy: { ...context.policy, allowed_images: ['*'] },
  });
  const mock = await createMockProvider(
    { block: {}, policy: {} },
    { ...context, policy: { ...context.policy, allowed_images: ['*'] } },
  );
  const providers: EnabledProviders = new Map([
    ['docker', { definition: dockerDefinition, provider: guardedProvider(docker as Provider, guard), block }],
    ['mock', { definition: mockDefinition, provider: guardedProvider(mock, guard), block: {} }],
  ]);
  const controller = createTenantController({
    client,
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
    await docker.close();
    await plain.close();
  };
  return { died: died.promise, calls, stop: end };
}

type Guard = <T>(name: string, call: () => Promise<T>) => Promise<T>;

function guardedClient(client: KubeClient, guard: Guard): KubeClient {
  return {
    ...client,
    request: <T>(request: RequestOptions) =>
      request.method === 'GET'
        ? client.request<T>(request)
        : guard(`${request.method} ${request.path.endsWith('/status') ? 'status' : 'tenant'}`, () =>
            client.request<T>(request),
          ),
  };
}

function guardedProvider(provider: Provider, guard: Guard): Provider {
  const { name } = provider;
  return {
    ...provider,
    validate: (spec, signal) => guard(`${name}.validate`, () => provider.validate(spec, signal)),
    provision: (spec, signal) => guard(`${name}.provision`, () => provider.provision(spec, signal)),
    update: (spec, signal, options) => guard(`${name}.update`, () => provider.update(spec, signal, options)),
    destroy: (ref, signal) => guard(`${name}.destroy`, () => provider.destroy(ref, signal)),
    getStatus: (ref, spec, signal) => guard(`${name}.getStatus`, () => provider.getStatus(ref, spec, signal)),
  };
}
