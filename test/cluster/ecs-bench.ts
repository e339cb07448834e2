import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { DescribeServicesCommand, ListServicesCommand } from '@aws-sdk/client-ecs';
import type { Service } from '@aws-sdk/client-ecs';
import { startCountingProxy } from '../../dev/counting-proxy.ts';
import type { CountedCall, CountingProxy } from '../../dev/counting-proxy.ts';
import { createEcsFixture, fargateBlock } from '../../dev/ecs-endpoint-fixture.ts';
import type { EcsFixture, EcsFixtureOptions } from '../../dev/ecs-endpoint-fixture.ts';
import { rootCredentials, startMinistack } from '../../dev/ecs-endpoint.ts';
import type { EcsEndpoint, MinistackOptions } from '../../dev/ecs-endpoint.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator, TestOperatorOptions } from './test-operator.ts';

/** An account with a cluster and a base task definition, behind a counting proxy, and a namespace of Tenants. */
export interface EcsBench {
  readonly ns: TestNamespace;
  /** The operator's calls pass here; the fixture's own don't. */
  readonly proxy: CountingProxy;
  readonly endpoint: EcsEndpoint;
  readonly fixture: EcsFixture;
  /** compute.ecs of the operator's config. */
  readonly block: Readonly<Record<string, unknown>>;
  /** An operator of the bench's namespace, whose instance is called like it. */
  operator(options?: Partial<TestOperatorOptions>): TestOperator;
  serviceName(tenant: string): string;
  /** As ECS tells, with tags; undefined where it is MISSING. */
  service(tenant: string): Promise<Service | undefined>;
  /** All of the cluster that are not INACTIVE, with tags. */
  services(): Promise<readonly Service[]>;
  /** The operator's calls of these operations so far. */
  calls(...operations: string[]): readonly CountedCall[];
  /** Whether a call was about the tenant's service. */
  concerns(call: CountedCall, tenant: string): boolean;
  close(): Promise<void>;
}

export interface EcsBenchOptions {
  /** Names the namespace and the cluster. */
  readonly prefix: string;
  readonly ministack?: Partial<MinistackOptions>;
  readonly fixture?: EcsFixtureOptions;
  /** More for compute.ecs. */
  readonly block?: Readonly<Record<string, unknown>>;
  /** What stands between the proxy and the endpoint. */
  readonly behind?: (endpoint: EcsEndpoint) => Promise<EcsEndpoint>;
}

export const ecsWrites = [
  'CreateService',
  'UpdateService',
  'DeleteService',
  'TagResource',
  'UntagResource',
  'RegisterTaskDefinition',
  'DeregisterTaskDefinition',
] as const;

/** policy.ecs of an operator whose tenants choose what they may where it says so. */
export const openEcsPolicy = {
  allowed_launch_types: ['EC2', 'FARGATE', 'EXTERNAL'],
  allowed_tag_keys: ['*'],
  allowed_service_names: ['*'],
};

export async function startEcsBench(options: EcsBenchOptions): Promise<EcsBench> {
  await using stack = new AsyncDisposableStack();
  // The last one goes first; one that can't be removed keeps none of the others.
  const endpoint = await startMinistack({ mode: 'metadata', ...options.ministack });
  stack.defer(() => endpoint.stop());
  const between = await options.behind?.(endpoint);
  stack.defer(() => between?.stop());
  const proxy = await startCountingProxy((between ?? endpoint).url);
  stack.defer(() => proxy.stop());
  const ns = await createTestNamespace(options.prefix);
  stack.defer(() => ns.remove());
  const fixture = await createEcsFixture(endpoint.url, { cluster: ns.name, ...options.fixture });
  stack.defer(() => fixture.close());
  actAs(options.fixture?.credentials ?? rootCredentials);
  const fargate = fargateBlock(fixture);
  const block = {
    ...fargate,
    desired_count: 1,
    endpoint: proxy.url,
    ...options.block,
  };
  const serviceName = (tenant: string): string =>
    `${fargate.service_name_prefix}${defaultTenantId(ns.name, tenant)}`;
  const describe = async (names: readonly string[]): Promise<readonly Service[]> => {
    const { services = [] } = await fixture.client.send(
      new DescribeServicesCommand({ cluster: fixture.clusterArn, services: [...names], include: ['TAGS'] }),
    );
    return services;
  };
  const parts = stack.move();
  return {
    ns,
    proxy,
    endpoint,
    fixture,
    block,
    operator: (overrides = {}) =>
      startTestOperator({
        namespaces: [ns.name],
        compute: { ecs: block },
        ...overrides,
        config: { instance: ns.name, policy: { ecs: openEcsPolicy }, ...overrides.config },
      }),
    serviceName,
    service: async (tenant) => (await describe([serviceName(tenant)]))[0],
    services: async () => {
      const { serviceArns = [] } = await fixture.client.send(
        new ListServicesCommand({ cluster: fixture.clusterArn, maxResults: 100 }),
      );
      const services: Service[] = [];
      for (let from = 0; from < serviceArns.length; from += 10)
        services.push(...(await describe(serviceArns.slice(from, from + 10))));
      return services.filter(({ status }) => status !== 'INACTIVE');
    },
    calls: (...operations) => proxy.calls.filter(({ operation }) => operations.includes(operation)),
    concerns: ({ names, input }, tenant) =>
      [...names, input['resourceArn']].some(
        (name) => typeof name === 'string' && name.split('/').at(-1) === serviceName(tenant),
      ),
    close: () => parts.disposeAsync(),
  };
}

/** The SDK finds these by its default chain; each test file has a process of its own. */
export function actAs(credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }): void {
  process.env['AWS_ACCESS_KEY_ID'] = credentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = credentials.secretAccessKey;
  delete process.env['AWS_SESSION_TOKEN'];
  delete process.env['AWS_PROFILE'];
}

/** Everything by key. */
export function tagsOf(service: Pick<Service, 'tags'> | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((service?.tags ?? []).map(({ key = '', value = '' }) => [key, value]));
}
