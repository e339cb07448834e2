import {
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  dictionary,
  integer,
  option,
  record,
  string,
  subarray,
} from 'fast-check';
import { expect, test } from 'vitest';
import { containerSpec, context, drivenEcs, settings, tenantSpec } from '../ecs-fixture.ts';
import { baseArn, memoryEcs, writesOf } from '../memory-ecs.ts';

const signal = new AbortController().signal;
const subnets = ['subnet-1', 'subnet-2', 'subnet-3'];
const groups = ['sg-1', 'sg-2'];
const text = string({
  unit: constantFrom('a', 'Z', '0', ' ', '+', '-', '=', '.', '_', ':', '/', '@'),
  maxLength: 12,
});

/** Tenants as they might ask for it. */
const specs = record({
  count: option(integer({ min: 1, max: 9 }), { nil: undefined }),
  launchType: constantFrom(undefined, 'EC2', 'FARGATE'),
  subnets: subarray(subnets),
  groups: subarray(groups),
  publicIp: boolean(),
  drain: boolean(),
  tags: dictionary(
    string({ unit: constantFrom('a', 'b', 'X', 'Y', '-'), minLength: 1, maxLength: 8 }),
    text,
    {
      maxKeys: 5,
    },
  ),
  taskDefinition: constantFrom(baseArn, baseArn.replace(/:12$/, '')),
  image: option(constantFrom('app:1', 'app:2'), { nil: undefined }),
  cpu: constantFrom(undefined, '250m', '1'),
});

type Asked = typeof specs extends { generate: (...args: never[]) => { value: infer T } } ? T : never;

function specOf({ count, launchType, tags, taskDefinition, image, cpu, drain, ...network }: Asked) {
  const isNetworked = network.subnets.length > 0;
  return tenantSpec(
    {
      task_definition_arn: taskDefinition,
      tags,
      ...(drain ? { drain } : {}),
      ...(count === undefined ? {} : { desired_count: count }),
      ...(launchType === undefined ? {} : { launch_type: launchType }),
      ...(isNetworked
        ? { subnets: network.subnets, security_groups: network.groups, assign_public_ip: network.publicIp }
        : {}),
    },
    {
      containers:
        image === undefined
          ? []
          : [containerSpec('app', { image, resources: cpu === undefined ? {} : { cpu } })],
    },
  );
}

test('whatever a tenant asks for, the service that ECS makes of it does not differ, and the next pass writes nothing', async () => {
  const { block, policy } = settings({}, { allowed_subnets: subnets, allowed_security_groups: groups });
  await assert(
    asyncProperty(specs, specs, async (first, second) => {
      const ecs = memoryEcs();
      const provider = drivenEcs(ecs, block, policy, context());
      for (const spec of [specOf(first), specOf(second)]) {
        for (let calls = 0; calls < 4; calls += 1) await provider.update(spec, signal);
        const seen = await provider.getStatus(spec, { fresh: true, signal });
        expect(seen).toMatchObject({
          exists: true,
          changes: [],
          compute: { state: 'running', health: 'healthy' },
        });
        ecs.calls.length = 0;
        await provider.provision(spec, signal);
        await provider.update(spec, signal);
        await drivenEcs(ecs, block, policy, context()).update(spec, signal);
        expect(writesOf(ecs)).toEqual([]);
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);
