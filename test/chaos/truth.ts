import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ListServicesCommand,
  ListTaskDefinitionsCommand,
} from '@aws-sdk/client-ecs';
import type { Service } from '@aws-sdk/client-ecs';
import type Dockerode from 'dockerode';
import type { EcsFixture } from '../../dev/ecs-endpoint-fixture.ts';
import { revisionVariable } from './workload.ts';

/** What runs by the engines' own answers. */

/** A container of a Tenant on Docker, or what all tasks of its service are made of on ECS. */
export interface Running {
  readonly tenant: string;
  readonly provider: 'docker' | 'ecs';
  /** Names and states of the containers, in order: `app running`; of a service its status and tasks: `ACTIVE 2/2`. */
  readonly state: string;
  /** Identifies what runs: another one is a restart. */
  readonly id: string;
  readonly image: string;
  readonly revision: string;
}

/** What a tenant has there besides: a network, a volume, a revision of its task definition. */
export interface Belonging extends Pick<Running, 'tenant' | 'provider'> {
  readonly what: string;
}

export interface Truth {
  readonly running: readonly Running[];
  readonly belongings: readonly Belonging[];
}

export async function truthOf(docker: Dockerode, ownerLabel: string, fixture: EcsFixture): Promise<Truth> {
  const [containers, services, ...belongings] = await Promise.all([
    containersOn(docker, ownerLabel),
    servicesOn(fixture),
    belongingsOn(docker, ownerLabel),
    revisionsOn(fixture),
  ]);
  return { running: [...containers, ...services], belongings: belongings.flat() };
}

async function containersOn(docker: Dockerode, ownerLabel: string): Promise<Running[]> {
  const listed = await docker.listContainers({ all: true, filters: { label: [ownerLabel] } });
  return Promise.all(
    listed.map(async ({ Id }) => {
      const { State, Config } = await docker.getContainer(Id).inspect();
      const { Labels, Env, Image } = Config;
      return {
        tenant: Labels['landlord.tenant_name'] ?? '',
        provider: 'docker' as const,
        state: `${Labels['landlord.container']} ${State.Paused ? 'paused' : State.Status}`,
        id: Id,
        image: Labels['landlord.image'] ?? Image,
        revision: valueOf(Env),
      };
    }),
  );
}

function valueOf(env: readonly string[]): string {
  const start = `${revisionVariable}=`;
  return env.find((variable) => variable.startsWith(start))?.slice(start.length) ?? '';
}

async function belongingsOn(docker: Dockerode, ownerLabel: string): Promise<Belonging[]> {
  const filters = JSON.stringify({ label: [ownerLabel] });
  const [networks, { Volumes }] = await Promise.all([
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  const belonging = (what: string, labels: Readonly<Record<string, string>> | undefined): Belonging => ({
    tenant: labels?.['landlord.tenant_name'] ?? '',
    provider: 'docker',
    what,
  });
  return [
    ...networks.map(({ Name, Labels }) => belonging(`network ${Name}`, Labels)),
    ...(Volumes ?? []).map(({ Name, Labels }) => belonging(`volume ${Name}`, Labels)),
  ];
}

/** Each that is ACTIVE and bears a tenant's mark. */
async function revisionsOn({ client }: EcsFixture): Promise<Belonging[]> {
  const { taskDefinitionArns = [] } = await client.send(
    new ListTaskDefinitionsCommand({ status: 'ACTIVE', maxResults: 100 }),
  );
  const described = await Promise.all(
    taskDefinitionArns.map((taskDefinition) =>
      client.send(new DescribeTaskDefinitionCommand({ taskDefinition, include: ['TAGS'] })),
    ),
  );
  return described.flatMap(({ taskDefinition, tags }) => {
    const tenant = tags?.find(({ key }) => key === 'landlord.tenant_name')?.value;
    const what = `task definition ${taskDefinition?.family}:${taskDefinition?.revision}`;
    return tenant === undefined ? [] : [{ tenant, provider: 'ecs', what }];
  });
}

/** Each that is not INACTIVE. */
async function servicesOn({ client, clusterArn: cluster }: EcsFixture): Promise<Running[]> {
  const arns: string[] = [];
  for (let nextToken: string | undefined, more = true; more;) {
    const page = await client.send(new ListServicesCommand({ cluster, maxResults: 100, nextToken }));
    arns.push(...(page.serviceArns ?? []));
    nextToken = page.nextToken;
    more = nextToken !== undefined;
  }
  const running: Running[] = [];
  for (let from = 0; from < arns.length; from += 10) {
    const services = arns.slice(from, from + 10);
    const answer = await client.send(new DescribeServicesCommand({ cluster, services, include: ['TAGS'] }));
    const active = (answer.services ?? []).filter(({ status }) => status !== 'INACTIVE');
    running.push(...(await Promise.all(active.map((service) => runningService(client, service)))));
  }
  return running;
}

async function runningService(client: EcsFixture['client'], service: Service): Promise<Running> {
  const { taskDefinition: taskDefinitionArn, status, runningCount, desiredCount, serviceArn = '' } = service;
  const { taskDefinition } = await client.send(
    new DescribeTaskDefinitionCommand({ taskDefinition: taskDefinitionArn }),
  );
  const container = taskDefinition?.containerDefinitions?.[0];
  return {
    tenant: service.tags?.find(({ key }) => key === 'landlord.tenant_name')?.value ?? '',
    provider: 'ecs',
    state: `${status} ${runningCount}/${desiredCount}`,
    id: `${serviceArn} ${taskDefinitionArn}`,
    image: container?.image ?? '',
    revision: container?.environment?.find(({ name }) => name === revisionVariable)?.value ?? '',
  };
}
