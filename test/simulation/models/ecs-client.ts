import type { EcsApi } from '../../../src/compute/providers/ecs/engine/ecs-api.ts';
import type { World } from '../world.ts';
import type { Process } from '../process.ts';
import { awsEcs } from './aws-ecs.ts';
import type { AwsEcs } from './aws-ecs.ts';
import type { Launch, TaskFate } from './aws-ecs/records.ts';
import { imageFacts, isOfCatalogue } from './images.ts';

/** ECS as one operator process reaches it, and what the images of the catalogue come to there. */

const account = 'arn:aws:ecs:us-west-2:123456789012';
const clusterArn = `${account}:cluster/landlord`;

/** What the operator's config says of it. */
export const ecsBlock = {
  cluster_arn: clusterArn,
  task_definition_arn: `${account}:task-definition/tenant-app:12`,
  service_name_prefix: 'landlord-tenant-',
} as const;

export function serviceNameOf(tenantId: string): string {
  return `${ecsBlock.service_name_prefix}${tenantId}`;
}

export function createEcs(random: () => number): AwsEcs {
  const app = { name: 'app', image: 'app:1', essential: true };
  const executionRoleArn = 'arn:aws:iam::123456789012:role/execution';
  return awsEcs({
    clock: { now: () => Date.now(), after: (ms, act) => void setTimeout(act, ms) },
    random,
    clusters: [clusterArn],
    definitions: [{ family: 'tenant-app', revision: 12, executionRoleArn, containerDefinitions: [app] }],
    fateOf,
    latencyMs: () => 5 + random() * 40,
  });
}

function fateOf({ images }: Launch): TaskFate {
  const facts = images.filter(isOfCatalogue).map(imageFacts);
  if (facts.some(({ pull }) => pull === 'missing')) return { pullFails: true };
  if (facts.some(({ cannotStart }) => cannotStart === true)) return { crashAfterMs: 100, exitCode: 127 };
  const exits = facts.flatMap((one) => one.exits ?? [])[0];
  return exits === undefined ? {} : { crashAfterMs: exits.afterMs, exitCode: exits.code };
}

const writes = /^(create|update|delete|tag|untag|register|deregister)/;

/** Of a dead process, no call gets through any more. */
export function ecsClient(world: World, process: Process): EcsApi {
  const aws = world.aws();
  return new Proxy<EcsApi>(aws, {
    get(target, key) {
      const member = Reflect.get(target, key) as unknown;
      if (typeof member !== 'function' || typeof key !== 'string') return member;
      const call = member.bind(target) as (...args: unknown[]) => unknown;
      if (!writes.test(key) && !key.startsWith('describe')) return call;
      return async (...args: unknown[]) => {
        await process.livesOn(args.find((arg) => arg instanceof AbortSignal));
        world.engineNetwork.onCall(key, process.name);
        if (writes.test(key)) world.note(`${process.name} ${key} ${nameIn(args)}`);
        const answer = await call(...args);
        await process.livesOn(args.find((arg) => arg instanceof AbortSignal));
        return answer;
      };
    },
  });
}

function nameIn(args: readonly unknown[]): string {
  const input = args.find(
    (arg) => typeof arg === 'object' && arg !== null && ('service' in arg || 'serviceName' in arg),
  );
  const { service, serviceName } = (input ?? {}) as { service?: string; serviceName?: string };
  return service ?? serviceName ?? '';
}
