import type { Service } from '@aws-sdk/client-ecs';
import { CreateServiceCommand, DescribeServicesCommand } from '@aws-sdk/client-ecs';
import { inject, vi } from 'vitest';
import { createEcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import { rootCredentials, startMinistack, startMoto } from '../../dev/ecs-endpoint.ts';
import type { EcsEndpoint } from '../../dev/ecs-endpoint.ts';
import { pushImage } from '../../dev/images.ts';
import type { EcsApi } from '../../src/compute/providers/ecs/engine/ecs-api.ts';
import { ecsProvider } from '../../src/compute/providers/ecs/provider.ts';
import { testClient } from '../compute/providers/ecs/client-fixture.ts';
import { containerSpec, context, settings, tenantSpec } from '../compute/providers/ecs/ecs-fixture.ts';
import { writes } from '../compute/providers/ecs/memory-ecs.ts';
import { ecsDefinition } from '../../src/compute/providers/ecs/definition.ts';
import { describeProviderContract } from './provider-contract.ts';

interface Case {
  readonly name: string;
  readonly start: () => Promise<EcsEndpoint>;
  readonly images: () => Promise<{ readonly first: string; readonly second: string }>;
}

const onPaper = async () => ({ first: 'registry.example/app:1', second: 'registry.example/app:2' });

async function pushed(): Promise<{ readonly first: string; readonly second: string }> {
  const registry = { address: inject('registryAddress') };
  return {
    first: await pushImage(registry, { repository: 'ecs-contract', tag: '1' }),
    second: await pushImage(registry, { repository: 'ecs-contract', tag: '2' }),
  };
}

const cases: readonly Case[] = [
  { name: 'ecs, on ministack,', start: () => startMinistack({ mode: 'metadata' }), images: onPaper },
  {
    name: 'ecs, on ministack with containers,',
    start: () => startMinistack({ mode: 'docker', dockerHost: inject('dockerHost') }),
    images: pushed,
  },
  { name: 'ecs, on moto,', start: () => startMoto({ running: 1 }), images: onPaper },
];

for (const { name, start, images } of cases) {
  describeProviderContract(name, ecsDefinition, async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', rootCredentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', rootCredentials.secretAccessKey);
    const endpoint = await start();
    const { first, second } = await images();
    const fixture = await createEcsFixture(endpoint.url, { image: first });
    const config = {
      cluster_arn: fixture.clusterArn,
      task_definition_arn: fixture.taskDefinitionArn,
      subnets: fixture.subnets,
      security_groups: fixture.securityGroups,
    };
    const { block, policy } = settings({ ...config, endpoint: endpoint.url });
    const clients: EcsApi[] = [];
    let written = 0;
    const client = (): EcsApi => {
      const api = counting(testClient({ ...config, endpoint: endpoint.url }), () => (written += 1));
      clients.push(api);
      return api;
    };
    const describe = async (service: string): Promise<Service | undefined> => {
      const cluster = fixture.clusterArn;
      const ask = new DescribeServicesCommand({ cluster, services: [service], include: ['TAGS'] });
      return (await fixture.client.send(ask)).services?.[0];
    };
    return {
      provider: (instance = 'default') =>
        ecsProvider(client(), block, policy, context({ instance, settleMs: 300 })),
      spec: (tenantId, state) =>
        tenantSpec(config, {
          tenantId,
          tenant: { namespace: 'team-a', name: tenantId, uid: 'uid' },
          containers: [containerSpec('app', { image: state === 'first' ? first : second })],
        }),
      writes: () => written,
      async occupy(tenantId) {
        const serviceName = `landlord-tenant-${tenantId}`;
        const { clusterArn: cluster, taskDefinitionArn: taskDefinition, subnets, securityGroups } = fixture;
        const awsvpcConfiguration = { subnets: [...subnets], securityGroups: [...securityGroups] };
        const networkConfiguration = { awsvpcConfiguration };
        await fixture.client.send(
          new CreateServiceCommand({
            cluster,
            serviceName,
            taskDefinition,
            desiredCount: 0,
            networkConfiguration,
          }),
        );
        return async () => {
          const { status, desiredCount, taskDefinition, tags } = (await describe(serviceName)) ?? {};
          return { status, desiredCount, taskDefinition, tags };
        };
      },
      silent: undefined,
      async close() {
        for (const api of clients) api.close();
        fixture.close();
        await endpoint.stop();
        vi.unstubAllEnvs();
      },
    };
  });
}

function counting(api: EcsApi, onWrite: () => void): EcsApi {
  return new Proxy(api, {
    get(target, key) {
      const member = Reflect.get(target, key) as unknown;
      if (typeof key !== 'string' || typeof member !== 'function' || !writes.includes(key)) return member;
      return (...args: unknown[]) => {
        onWrite();
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}
