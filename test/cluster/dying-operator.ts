import { inject } from 'vitest';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import type { EnabledProvider } from '../../src/compute/selection/enabled-providers.ts';
import type { ProviderContext } from '../../src/compute/provider.ts';
import { mockDefinition } from '../../src/compute/providers/mock/definition.ts';
import { createMockProvider } from '../../src/compute/providers/mock/provider.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { createTenantController } from '../../src/controller/tenant-controller.ts';
import { createEventRecorder } from '../../src/kube/events/event-recorder.ts';
import { createKubeClient } from '../../src/kube/client/kube-client.ts';
import { loadKubeConfig } from '../../src/kube/client/load-kube-config.ts';
import type { RequestOptions } from '../../src/kube/client/http-exchange.ts';
import { dyingProcess } from '../compute/dying-process.ts';
import type { Death, DyingProcess } from '../compute/dying-process.ts';
import { silentLogger } from './silent-logger.ts';
import { hashKey } from '../compute/hash-key.ts';

export interface DyingOperator {
  /** Its writes to the apiserver and to the engine. */
  readonly life: DyingProcess;
  stop(): Promise<void>;
}

export interface DyingOperatorOptions {
  readonly namespace: string;
  /** Label selector: the one Tenant that this operator sees. */
  readonly selector: string;
  readonly death: Death;
  /** The provider that is enabled beside mock, and that sees its engine through `life`. */
  readonly provider: (life: DyingProcess, context: DyingContext) => EnabledProvider;
}

export type DyingContext = ProviderContext & { readonly settleMs: number };

const specSchema = tenantSpecSchema(tenantBlocks);

/** An operator in this process that dies in a chosen write: no later one ever reaches anything. */
export async function startDyingOperator(options: DyingOperatorOptions): Promise<DyingOperator> {
  const stop = new AbortController();
  const life = dyingProcess(options.death);
  void life.died.then(() => stop.abort());
  const logger = silentLogger;
  const client = createKubeClient({
    kubeConfig: loadKubeConfig(inject('kubeconfigPath')),
    logger,
    userAgent: 'landlord',
  });
  const context: DyingContext = {
    instance: options.namespace,
    clusterUid: 'crash-points',
    hashKey,
    logger,
    policy: {
      allowed_images: ['*'],
      max_resources: { cpu: '', memory: '' },
      default_resources: { cpu: '', memory: '' },
    },
    sweepIntervalMs: 60_000,
    settleMs: 300,
  };
  const enabled = options.provider(life, context);
  const mock = await createMockProvider({ block: {}, policy: {} }, context);
  const controller = createTenantController({
    instance: 'default',
    client: life.seeing(client, kubeWriteOf),
    specSchema,
    providers: new Map([
      [enabled.provider.name, enabled],
      ['mock', { definition: mockDefinition, provider: mock, block: {} }],
    ]),
    // Written behind the pass, one by one, and of no use to the next process.
    events: createEventRecorder({
      client,
      reportingController: 'landlord.dev/operator',
      reportingInstance: 'test',
      logger,
    }),
    logger,
    concurrency: 4,
    namespaces: [options.namespace],
    tenantSelector: options.selector,
    freeTenantIds: () => true,
  });
  const running = controller.run(stop.signal, 0);
  return {
    life,
    async stop() {
      stop.abort();
      await running;
      await enabled.provider.close();
      await client.close();
    },
  };
}

function kubeWriteOf(call: string, [request]: readonly unknown[]): string | undefined {
  if (call !== 'request') return undefined;
  const { method, path } = request as RequestOptions;
  return method === 'GET' ? undefined : `${method} ${path.endsWith('/status') ? 'status' : 'tenant'}`;
}
