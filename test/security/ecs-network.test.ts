import { expect, test } from 'vitest';
import { ecsOperator } from './ecs-operator.ts';

/** A tenant can't slip out of the network and the role that the operator has put it on. */

const role = 'arn:aws:iam::123456789012:role/tenants';
const block = {
  subnets: ['subnet-1', 'subnet-2'],
  security_groups: ['sg-locked'],
  launch_type: 'FARGATE',
  assume_role: { role_arn: role },
};
const locked = {
  subnets: ['subnet-1', 'subnet-2'],
  securityGroups: ['sg-locked'],
  assignPublicIp: 'DISABLED',
};

test.each<[what: string, ecs: Record<string, unknown>]>([
  ['an empty list of groups', { security_groups: [] }],
  ['groups that are unset', { security_groups: null }],
  ['an empty list of subnets', { subnets: [] }],
  ['subnets that are unset', { subnets: null }],
  ['both empty', { subnets: [], security_groups: [] }],
  ['both unset', { subnets: null, security_groups: null }],
])('with %s it has the operator’s', async (_what, ecs) => {
  const operator = ecsOperator({ block });
  expect(await operator.apply({ computeConfig: { ecs } })).toBe('taken');
  expect(operator.service()?.networkConfiguration?.awsvpcConfiguration).toEqual(locked);
});

test('with fewer subnets of the operator’s it has these, in the operator’s groups', async () => {
  const operator = ecsOperator({ block });
  expect(
    await operator.apply({ computeConfig: { ecs: { subnets: ['subnet-2'], security_groups: [] } } }),
  ).toBe('taken');
  expect(operator.service()?.networkConfiguration?.awsvpcConfiguration).toEqual({
    ...locked,
    subnets: ['subnet-2'],
  });
});

test('the groups come back to a service that was made without', async () => {
  const operator = ecsOperator({ block });
  await operator.apply({ computeConfig: { ecs: {} } });
  const service = operator.service();
  Object.assign(service?.networkConfiguration?.awsvpcConfiguration ?? {}, { securityGroups: ['sg-default'] });
  expect(await operator.apply({ computeConfig: { ecs: { security_groups: [] } } })).toBe('taken');
  expect(service?.networkConfiguration?.awsvpcConfiguration).toEqual(locked);
});

test('the operator’s role can’t be unset: calls would go out in the operator’s own name', async () => {
  const operator = ecsOperator({ block });
  expect(await operator.apply({ computeConfig: { ecs: { assume_role: null } } })).toBe(
    `PolicyDenied: policy.ecs.allowed_roles: assume_role is unset, and tenants may not do without the role ${role}. ` +
      "Use the operator's own by leaving it out, or have the operator's admin allow it",
  );
  expect(operator.ecs.calls).toEqual([]);
});
