import { CreateClusterCommand, ECSClient, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import type { RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs';
import { callQueryApi } from './ecs-endpoint-query.ts';
import type { QueryTarget } from './ecs-endpoint-query.ts';
import { rootCredentials } from './ecs-endpoint.ts';

/** What an account must hold before Landlord can use it, at an endpoint of dev/ecs-endpoint.ts. */
export interface EcsFixture {
  /** The tests' own, past all proxies. */
  readonly client: ECSClient;
  readonly region: string;
  readonly clusterArn: string;
  /** A task definition with one container, `app`. */
  readonly taskDefinitionArn: string;
  /** For awsvpc: ids of subnets that are there; moto refuses others. */
  readonly subnets: readonly string[];
  /** Ids of security groups that are there; moto fails where a service names none. */
  readonly securityGroups: readonly string[];
  /** Makes an IAM role that the fixture's credentials may assume, with these rights. Returns its ARN. */
  createRole(role: RoleOptions): Promise<string>;
  /** Another one, or another revision: `app` with the image. Returns its ARN. */
  registerTaskDefinition(
    image: string,
    overrides?: Partial<RegisterTaskDefinitionCommandInput>,
  ): Promise<string>;
  close(): void;
}

export interface RoleOptions {
  readonly name: string;
  /** Actions that it allows: `ecs:*`. */
  readonly allow: readonly string[];
  readonly deny?: readonly string[];
  /** Without it the role can't be assumed. */
  readonly externalId?: string;
}

export interface EcsFixtureOptions {
  readonly region?: string;
  /** Name of the cluster. */
  readonly cluster?: string;
  readonly family?: string;
  /** The image of `app`: in Docker mode a full name, `127.83.12.7:5959/app:1`. */
  readonly image?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Makes a cluster and a base task definition (awsvpc, so that tasks of one host don't quarrel over its ports). */
export async function createEcsFixture(url: string, options: EcsFixtureOptions = {}): Promise<EcsFixture> {
  const { region = 'us-west-2', cluster = 'landlord', family = 'tenant-app' } = options;
  const credentials = options.credentials ?? rootCredentials;
  const client = new ECSClient({ endpoint: url, region, credentials });
  const registerTaskDefinition: EcsFixture['registerTaskDefinition'] = async (image, overrides = {}) => {
    const { taskDefinition } = await client.send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        memory: '512',
        containerDefinitions: [
          { name: 'app', image, essential: true, portMappings: [{ containerPort: 8080, protocol: 'tcp' }] },
        ],
        ...overrides,
      }),
    );
    return required(taskDefinition?.taskDefinitionArn, 'RegisterTaskDefinition');
  };
  const ec2 = { url, service: 'ec2', region, credentials };
  const created = await client.send(new CreateClusterCommand({ clusterName: cluster }));
  return {
    client,
    region,
    clusterArn: required(created.cluster?.clusterArn, 'CreateCluster'),
    taskDefinitionArn: await registerTaskDefinition(options.image ?? 'registry.example/app:1'),
    subnets: await existingIds(ec2, 'DescribeSubnets', /<subnetId>(subnet-[0-9a-z]+)</g),
    securityGroups: await existingIds(ec2, 'DescribeSecurityGroups', /<groupId>(sg-[0-9a-z]+)</g),
    registerTaskDefinition,
    createRole: (role) => createRole({ ...ec2, service: 'iam', region: 'us-east-1' }, role),
    close: () => client.destroy(),
  };
}

/** All of the default VPC, which both endpoints have. */
async function existingIds(target: QueryTarget, action: string, pattern: RegExp): Promise<readonly string[]> {
  const answer = await callQueryApi(target, action);
  return [...new Set([...answer.matchAll(pattern)].flatMap(([, id]) => id ?? []))];
}

async function createRole(iam: QueryTarget, role: RoleOptions): Promise<string> {
  const trust = {
    Effect: 'Allow',
    Principal: { AWS: '*' },
    Action: 'sts:AssumeRole',
    ...(role.externalId && { Condition: { StringEquals: { 'sts:ExternalId': role.externalId } } }),
  };
  const answer = await callQueryApi(iam, 'CreateRole', {
    RoleName: role.name,
    AssumeRolePolicyDocument: policyDocument([trust]),
  });
  await callQueryApi(iam, 'PutRolePolicy', {
    RoleName: role.name,
    PolicyName: 'landlord',
    PolicyDocument: policyDocument([
      { Effect: 'Allow', Action: role.allow, Resource: '*' },
      ...(role.deny ? [{ Effect: 'Deny', Action: role.deny, Resource: '*' }] : []),
    ]),
  });
  return required(/<Arn>(arn:aws:iam::\d+:role\/[^<]+)</.exec(answer)?.[1], 'CreateRole');
}

function policyDocument(statements: readonly unknown[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

function required(arn: string | undefined, operation: string): string {
  if (arn === undefined) throw new Error(`the ECS endpoint answered ${operation} without an ARN`);
  return arn;
}

/** `compute.ecs` of an operator that has this account, for tasks with an address of their own. */
export function fargateBlock({ clusterArn, taskDefinitionArn, subnets, securityGroups }: EcsFixture) {
  return {
    cluster_arn: clusterArn,
    task_definition_arn: taskDefinitionArn,
    service_name_prefix: 'landlord-tenant-',
    launch_type: 'FARGATE',
    subnets: subnets.slice(0, 2),
    security_groups: securityGroups.slice(0, 1),
  } as const;
}
