import { ecsOperatorBlock } from '../../../../src/compute/providers/ecs/config.ts';
import type { EcsApi } from '../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import { createEcsClient } from '../../../../src/compute/providers/ecs/engine/ecs-client.ts';
import type { EcsClientOptions } from '../../../../src/compute/providers/ecs/engine/ecs-client.ts';
import { silentLogger } from '../../../cluster/silent-logger.ts';

/** For calls that nobody gives up. */
export const never = new AbortController().signal;

/** What an operator's block says at the least. */
export const exampleBlock = {
  cluster_arn: 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord',
  task_definition_arn: 'arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:1',
  service_name_prefix: 't-',
};

/** A client that logs nothing; `block`: over the example's. */
export function testClient(
  block: Readonly<Record<string, unknown>>,
  options: Partial<Omit<EcsClientOptions, 'block'>> = {},
): EcsApi {
  return createEcsClient({
    block: ecsOperatorBlock.parse({ ...exampleBlock, ...block }),
    policy: { allowed_roles: [] },
    logger: silentLogger,
    ...options,
  });
}
