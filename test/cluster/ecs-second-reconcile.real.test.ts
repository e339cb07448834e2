import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCountingProxy } from '../../dev/counting-proxy.ts';
import type { CountingProxy } from '../../dev/counting-proxy.ts';
import { createEcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import type { EcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import { rootCredentials, startMinistack, startMoto } from '../../dev/ecs-endpoint.ts';
import type { EcsEndpoint } from '../../dev/ecs-endpoint.ts';
import type { Provider } from '../../src/compute/provider.ts';
import { ecsMergedBlock, ecsOperatorBlock, ecsPolicyBlock } from '../../src/compute/providers/ecs/config.ts';
import type { EcsConfig } from '../../src/compute/providers/ecs/config.ts';
import type { DesiredService } from '../../src/compute/providers/ecs/state/desired.ts';
import { createEcsClient } from '../../src/compute/providers/ecs/engine/ecs-client.ts';
import { ecsProvider } from '../../src/compute/providers/ecs/provider.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../src/compute/spec/tenant-compute-spec.ts';
import { driven } from '../compute/driven-provider.ts';
import { actAs, ecsWrites, openEcsPolicy } from './ecs-bench.ts';
import { silentLogger } from './silent-logger.ts';
import { hashKey } from '../compute/hash-key.ts';

const signal = new AbortController().signal;
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/);
const value = fc.stringMatching(/^[A-Za-z0-9 ._-]{0,12}$/);

/** A container of a tenant's own, over the base's `app` or beside it. */
const container = (name: string): fc.Arbitrary<ContainerSpec> =>
  fc.record(
    {
      name: fc.constant(name),
      image: word.map((repository) => `registry.example/${repository}:1`),
      env: fc
        .uniqueArray(word, { maxLength: 3 })
        .chain((names) =>
          fc.tuple(...names.map((key) => value.map((text) => ({ name: key.toUpperCase(), value: text })))),
        ),
      resources: fc.record(
        { cpu: fc.constantFrom('50m', '0.1'), memory: fc.constantFrom('64Mi', '100M') },
        { requiredKeys: [] },
      ),
      command: fc.array(word, { minLength: 1, maxLength: 2 }),
      args: fc.array(value, { minLength: 1, maxLength: 3 }),
      ports: fc.constant([{ name: 'http', containerPort: 8080, protocol: 'TCP' as const }]),
      healthCheck: fc.constant({
        command: ['/bin/ok'],
        intervalSeconds: 5,
        timeoutSeconds: 3,
        retries: 3,
        startPeriodSeconds: 10,
      }),
    },
    { requiredKeys: ['name', 'image', 'env', 'resources'] },
  );

const containers = fc.oneof(
  fc.constant([] as ContainerSpec[]),
  fc.tuple(container('app')),
  fc.tuple(container('app'), container('beside')),
);

const block = fc.record(
  {
    desired_count: fc.integer({ min: 0, max: 4 }),
    launch_type: fc.constantFrom('FARGATE', 'EC2'),
    assign_public_ip: fc.boolean(),
    tags: fc.dictionary(word, value, { maxKeys: 3 }),
  },
  { requiredKeys: [] },
);

describe.concurrent.each([
  ['ministack', () => startMinistack({ mode: 'metadata' }), 25],
  ['moto', () => startMoto({ running: 1 }), 12],
] as const)('on %s', (_name, start, numRuns) => {
  let endpoint: EcsEndpoint;
  let fixture: EcsFixture;
  let proxy: CountingProxy;
  let taskDefinition: string;
  let created = 0;
  const providers: Provider<DesiredService>[] = [];

  beforeAll(async () => {
    endpoint = await start();
    proxy = await startCountingProxy(endpoint.url);
    fixture = await createEcsFixture(endpoint.url);
    const requiresCompatibilities = ['FARGATE' as const, 'EC2' as const];
    taskDefinition = await fixture.registerTaskDefinition('registry.example/app:1', {
      requiresCompatibilities,
    });
    actAs(rootCredentials);
  });
  afterAll(async () => {
    await Promise.all(providers.map((provider) => provider.close()));
    fixture?.close();
    await proxy?.stop();
    await endpoint?.stop();
  });

  const base = () => ({
    cluster_arn: fixture.clusterArn,
    task_definition_arn: taskDefinition,
    service_name_prefix: 'landlord-tenant-',
    subnets: fixture.subnets.slice(0, 1),
    security_groups: fixture.securityGroups.slice(0, 1),
  });
  /** As after a restart: it knows nothing. */
  const freshProvider = (): Provider<DesiredService> => {
    const operatorBlock = ecsOperatorBlock.parse({ ...base(), endpoint: proxy.url });
    const policy = ecsPolicyBlock.parse(openEcsPolicy);
    const unlimited = { burst: 1000, perSecond: 1000 };
    const families = ['serviceWrites', 'taskDefinitionWrites', 'tagging'] as const;
    const limits = Object.fromEntries(families.map((family) => [family, unlimited]));
    const api = createEcsClient({ block: operatorBlock, policy, logger: silentLogger, limits });
    const provider = ecsProvider(api, operatorBlock, policy, {
      instance: 'second',
      clusterUid: 'second',
      hashKey,
      logger: silentLogger,
      policy: {
        allowed_images: ['*'],
        max_resources: { cpu: '', memory: '' },
        default_resources: { cpu: '', memory: '' },
      },
      sweepIntervalMs: 3_600_000,
      settleMs: 0,
    });
    providers.push(provider);
    return provider;
  };
  const converge = async (
    provider: Provider<DesiredService>,
    spec: TenantComputeSpec<EcsConfig>,
  ): Promise<void> => {
    const { update } = driven<DesiredService, EcsConfig>(provider);
    for (let pass = 0; pass < 10; pass += 1) if ((await update(spec, signal)).outcome === 'done') return;
    throw new Error('does not come to an end');
  };

  test(
    'a reconcile of what is as it should be writes nothing, whatever the spec, and sees no difference',
    { timeout: 240_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(block, containers, block, async (before, own, after) => {
          created += 1;
          const tenantId = `second-${created}`;
          const spec = (config: object): TenantComputeSpec<EcsConfig> => ({
            tenantId,
            tenant: { namespace: 'second', name: tenantId, uid: 'uid' },
            containers: own,
            resources: {},
            config: ecsMergedBlock.parse({ ...base(), ...config }),
            imagePullCredentials: [],
          });
          const provider = freshProvider();
          await converge(provider, spec(before));
          // The launch type alone is a replacement, for which the old one drains.
          const wanted = spec({ ...after, launch_type: before.launch_type });
          await converge(provider, wanted);
          proxy.calls.splice(0);
          const restarted = freshProvider();
          const { getStatus, provision } = driven<DesiredService, EcsConfig>(restarted);
          expect((await getStatus(wanted, { fresh: true, signal })).changes).toEqual([]);
          await converge(restarted, wanted);
          expect((await provision(wanted, signal)).outcome).toBe('done');
          const writes = proxy.calls.filter(({ operation }) =>
            (ecsWrites as readonly string[]).includes(operation),
          );
          expect(writes).toEqual([]);
        }),
        { numRuns },
      );
    },
  );
});
