import { createEcsFixture } from '../../../../dev/ecs-endpoint-fixture.ts';
import type { startMoto } from '../../../../dev/ecs-endpoint.ts';
import { testClient } from './client-fixture.ts';
import { context, drivenEcs, settings } from './ecs-fixture.ts';

/**
 * A provider on an endpoint, with a cluster, a network and a task definition there; `config` is the block that names them.
 * `operator`: what its own block says besides; `allowed`: its `policy.ecs`. All of it goes with the stack.
 */
export async function ecsOnTheWire(
  stack: AsyncDisposableStack,
  start: () => ReturnType<typeof startMoto>,
  operator: object = {},
  allowed: Record<string, unknown> = {},
) {
  const endpoint = await start();
  stack.defer(() => endpoint.stop());
  const fixture = await createEcsFixture(endpoint.url);
  stack.defer(() => fixture.close());
  const config = {
    cluster_arn: fixture.clusterArn,
    task_definition_arn: fixture.taskDefinitionArn,
    subnets: fixture.subnets,
    security_groups: fixture.securityGroups,
  };
  const { block, policy } = settings({ ...config, endpoint: endpoint.url, ...operator }, allowed);
  const ecs = testClient({ ...config, endpoint: endpoint.url });
  stack.defer(() => ecs.close());
  /** As another process would have it. */
  const restarted = () => drivenEcs(ecs, block, policy, context());
  return { endpoint, fixture, config, ecs, provider: restarted(), restarted };
}
