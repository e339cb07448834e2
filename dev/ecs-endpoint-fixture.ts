import {
  CreateClusterCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
} from '@aws-sdk/client-ecs';
import { rootCredentials } from './ecs-endpoint.ts';

/** What an account must hold before Landlord can use it, at an endpoint of dev/ecs-endpoint.ts. */
export interface EcsFixture {
  /** The tests' own, past all proxies. */
  readonly client: ECSClient;
  readonly region: string;
  readonly clusterArn: string;
  /** A task definition with one container, `app`. */
  readonly taskDefinitionArn: string;
  /** For awsvpc: ids of subnets that are there. */
  readonly subnets: readonly string[];
  /** Another one, or another revision: `app` with the image. Returns its ARN. */
  registerTaskDefinition(
    image: string,
    overrides?: Partial<RegisterTaskDefinitionCommandInput>,
  ): Promise<string>;
  close(): void;
}

export interface EcsFixtureOptions {
  readonly region?: string;
  /** Name of the cluster. */
  readonly cluster?: string;
  readonly family?: string;
  /** The image of `app`: in Docker mode a full name, `127.0.0.1:PORT/app:1`. */
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
  const created = await client.send(new CreateClusterCommand({ clusterName: cluster }));
  return {
    client,
    region,
    clusterArn: required(created.cluster?.clusterArn, 'CreateCluster'),
    taskDefinitionArn: await registerTaskDefinition(options.image ?? 'registry.example/app:1'),
    subnets: await existingSubnets(url, region),
    registerTaskDefinition,
    close: () => client.destroy(),
  };
}

/**
 * Those of the default VPC; moto refuses services in others. EC2's API is asked by hand, for its SDK isn't among the
 * dependencies, and the endpoints don't check this signature where `auth` is off; where it is on, there are none.
 */
async function existingSubnets(url: string, region: string): Promise<readonly string[]> {
  const scope = `test/20260101/${region}/ec2/aws4_request`;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
    },
    body: 'Action=DescribeSubnets&Version=2016-11-15',
  });
  const text = await response.text();
  return [...text.matchAll(/<subnetId>(subnet-[0-9a-z]+)<\/subnetId>/g)].flatMap(([, id]) => id ?? []);
}

function required(arn: string | undefined, operation: string): string {
  if (arn === undefined) throw new Error(`the ECS endpoint answered ${operation} without an ARN`);
  return arn;
}
