import { DescribeTaskDefinitionCommand, ListTaskDefinitionsCommand } from '@aws-sdk/client-ecs';
import { tagsOf } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';

/** What a tenant has on ECS by its owner tags, under whatever name. */

export interface EcsServiceSeen {
  readonly name: string;
  readonly status: string;
  readonly desired: number;
  readonly running: number;
  /** Without the operator's own. */
  readonly tags: Readonly<Record<string, string>>;
  readonly taskDefinition: string;
}

/** All of the cluster that are not INACTIVE, by name. */
export async function ecsServices(bench: EcsBench, tenant: string): Promise<readonly EcsServiceSeen[]> {
  const mine = (await bench.services()).filter((service) => isTenants(bench, tenant, tagsOf(service)));
  const seen = mine.map((service) => ({
    name: service.serviceName ?? '',
    status: service.status ?? '',
    desired: service.desiredCount ?? 0,
    running: service.runningCount ?? 0,
    tags: usersTags(tagsOf(service)),
    taskDefinition: service.taskDefinition ?? '',
  }));
  return seen.toSorted((a, b) => a.name.localeCompare(b.name));
}

/** Images by the ARN of each ACTIVE task definition that was registered for the tenant. */
export async function ecsRevisions(
  bench: EcsBench,
  tenant: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { client } = bench.fixture;
  const { taskDefinitionArns = [] } = await client.send(new ListTaskDefinitionsCommand({ status: 'ACTIVE' }));
  const all = await Promise.all(
    taskDefinitionArns.map((taskDefinition) =>
      client.send(new DescribeTaskDefinitionCommand({ taskDefinition, include: ['TAGS'] })),
    ),
  );
  return new Map(
    all
      // One that was deregistered between the two calls is none.
      .filter(({ taskDefinition }) => taskDefinition?.status === 'ACTIVE')
      .filter((found) => isTenants(bench, tenant, tagsOf(found)))
      .map(({ taskDefinition }) => [
        taskDefinition?.taskDefinitionArn ?? '',
        (taskDefinition?.containerDefinitions ?? []).map(({ image = '' }) => image),
      ]),
  );
}

function isTenants(bench: EcsBench, tenant: string, tags: Readonly<Record<string, string>>): boolean {
  return tags['landlord.tenant_namespace'] === bench.ns.name && tags['landlord.tenant_name'] === tenant;
}

function usersTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith('landlord.')));
}
