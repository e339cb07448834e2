import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { DescribeServicesCommand, ListTasksCommand } from '@aws-sdk/client-ecs';
import { createEcsFixture, fargateBlock } from '../ecs-endpoint-fixture.ts';
import { rootEnvironment, rootVariables, startMinistack } from '../ecs-endpoint.ts';
import { demoNamespace } from './namespace.ts';

/** An AWS account on this machine: an ECS cluster whose tasks are containers on the demo's Docker Engine. */
export interface EcsAccount {
  /** compute.ecs of the operator's config. */
  readonly block: Readonly<Record<string, unknown>>;
  /** The program's own environment without its AWS settings, and with the account's credentials. */
  readonly environment: NodeJS.ProcessEnv;
  /** What precedes `aws ecs …` in a shell. */
  readonly shellPrefix: string;
  readonly cluster: string;
  serviceName(tenant: string): string;
  /** ACTIVE, DRAINING or INACTIVE; undefined: there is none. */
  serviceStatus(tenant: string): Promise<string | undefined>;
  /** ARNs of the tasks that should run, for the engine's label `TASK_LABEL`. */
  tasksOf(tenant: string): Promise<readonly string[]>;
  /** Kills it and removes its tasks' containers. */
  stop(): Promise<void>;
}

/** ministack puts it on each container. */
export const taskLabel = 'com.amazonaws.ecs.task-arn';

const clusterName = 'landlord';

/** `image`: of the base task definition, with the registry's address. */
export async function startEcsAccount(dockerHost: string, image: string): Promise<EcsAccount> {
  const endpoint = await startMinistack({ mode: 'docker', dockerHost });
  try {
    const fixture = await createEcsFixture(endpoint.url, { cluster: clusterName, image });
    const { client, region, clusterArn: cluster } = fixture;
    const block = fargateBlock(fixture);
    const serviceName = (tenant: string): string =>
      `${block.service_name_prefix}${defaultTenantId(demoNamespace, tenant)}`;
    return {
      block: { ...block, endpoint: endpoint.url },
      environment: rootEnvironment(process.env),
      shellPrefix: Object.entries({
        AWS_ENDPOINT_URL: endpoint.url,
        AWS_REGION: region,
        ...rootVariables,
      })
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
      cluster: clusterName,
      serviceName,
      serviceStatus: async (tenant) => {
        const services = [serviceName(tenant)];
        const answer = await client.send(new DescribeServicesCommand({ cluster, services }));
        return answer.services?.[0]?.status;
      },
      tasksOf: async (tenant) => {
        const answer = await client.send(new ListTasksCommand({ cluster, serviceName: serviceName(tenant) }));
        return answer.taskArns ?? [];
      },
      stop: async () => {
        fixture.close();
        await endpoint.stop();
      },
    };
  } catch (error) {
    await endpoint.stop();
    throw error;
  }
}
