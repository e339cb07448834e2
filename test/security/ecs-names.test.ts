import { describe, expect, test } from 'vitest';
import { ecsOperator } from './ecs-operator.ts';

/** A Tenant's service can't have a name that is, or may become, another Tenant's: it is refused before ECS is asked. */

const own = 'landlord-tenant-team-a-acme-9201d5e7';
const named = (service_name: string, more = {}) => ({ computeConfig: { ecs: { service_name, ...more } } });
const prefixed = (service_name_prefix: string) => ({ computeConfig: { ecs: { service_name_prefix } } });
const refused = /^PolicyDenied: policy\.ecs\.allowed_service_name/;

describe('by default', () => {
  test.each([
    'landlord-tenant-other-tenant',
    'landlord-tenant-team-a-acme-9201d5e7-2',
    'landlord-tenant-team-a-acm',
    'landlord-tenant-team-b_x',
    'LANDLORD-TENANT-other-tenant',
    'other-team-api',
    'team-a-acme-9201d5e7',
    'landlord-tenant-',
  ])('no service is called %s', async (name) => {
    const operator = ecsOperator();
    expect(await operator.apply(named(name))).toMatch(refused);
    expect(operator.ecs.calls).toEqual([]);
  });

  test.each(['landlord-tenant-team-b-', 'landlord-', 'other-team-', 'LANDLORD-TENANT-', 'landlord-tenant'])(
    'none begins with %s in place of the operator’s prefix',
    async (prefix) => {
      const operator = ecsOperator();
      expect(await operator.apply(prefixed(prefix))).toMatch(refused);
      expect(operator.ecs.calls).toEqual([]);
    },
  );

  test('neither is one of that name met, nor anything said of it', async () => {
    const operator = ecsOperator();
    const other = { namespace: 'team-b', name: 'shop' };
    expect(await operator.apply({}, other)).toBe('taken');
    operator.ecs.calls.length = 0;
    const there = await operator.apply(named('landlord-tenant-team-b-shop'));
    const notThere = await operator.apply(named('landlord-tenant-team-b-none'));
    expect(there.replaceAll('shop', 'none')).toBe(notThere);
    expect(operator.ecs.calls).toEqual([]);
  });

  test.each([own, `${own}_blue`, `${own}_`])('it may be %s, which no other Tenant’s can be', async (name) => {
    const operator = ecsOperator();
    expect(await operator.apply(named(name))).toBe('taken');
    expect([...operator.ecs.services.keys()]).toEqual([name]);
  });

  test('it may be said to be as it is anyway', async () => {
    const operator = ecsOperator();
    expect(await operator.apply(prefixed('landlord-tenant-'))).toBe('taken');
    expect([...operator.ecs.services.keys()]).toEqual([own]);
  });

  test('the refusal says what it may be', async () => {
    expect(await ecsOperator().apply(named('shop'))).toBe(
      'PolicyDenied: policy.ecs.allowed_service_names: service_name shop is not one that tenants may name. Leave it out, ' +
        `or begin it with ${own}_, or have the operator's admin allow it`,
    );
    expect(await ecsOperator().apply(prefixed('shop-'))).toBe(
      'PolicyDenied: policy.ecs.allowed_service_name_prefixes: service_name_prefix shop- is not one that tenants may name. ' +
        "Use the operator's own by leaving it out, or have the operator's admin allow it",
    );
  });
});

describe('where the policy allows more', () => {
  const ecs = {
    allowed_service_names: ['*'],
    allowed_service_name_prefixes: ['landlord-', 'blue-', 'blue-green-'],
  };

  test.each([named('shop'), named('Shop_1'), prefixed('blue-'), prefixed('landlord-')])(
    '%j is taken',
    async (spec) => {
      expect(await ecsOperator({ policy: { ecs } }).apply(spec)).toBe('taken');
    },
  );

  test.each<[what: string, spec: Record<string, unknown>, name: string]>([
    ['the operator’s prefix', named('landlord-tenant-other'), 'other'],
    ['the operator’s prefix in capitals', named('Landlord-Tenant-other'), 'other'],
    ['a prefix of the list', named('blue-other'), 'other'],
    [
      'a prefix that is one of the operator’s and an id',
      { tenantId: 'tenant-x', ...prefixed('landlord-') },
      'x',
    ],
    ['a prefix that is another and an id', { tenantId: 'green-x', ...prefixed('blue-') }, 'x'],
  ])('never is one that begins with %s and has another’s id', async (_what, spec) => {
    const operator = ecsOperator({ policy: { ecs } });
    expect(await operator.apply(spec)).toMatch(/^PolicyDenied: .* may be another tenant's/);
    expect(operator.ecs.calls).toEqual([]);
  });

  test('by the start of a name, others are not', async () => {
    const operator = ecsOperator({ policy: { ecs: { allowed_service_names: ['team-a-*', 'one'] } } });
    for (const name of ['team-b-x', 'team-a', 'one-more', 'ones']) {
      expect(await operator.apply(named(name))).toMatch(refused);
    }
    for (const name of ['team-a-x', 'one']) expect(await operator.apply(named(name))).toBe('taken');
  });
});

test('where the operator names the service, no Tenant names another', async () => {
  const operator = ecsOperator({ block: { service_name: 'the-one', service_name_prefix: undefined } });
  expect(await operator.apply(named('another'))).toMatch(refused);
  expect(
    await operator.apply({ computeConfig: { ecs: { service_name: null, service_name_prefix: 'x-' } } }),
  ).toMatch(refused);
  expect(await operator.apply(named('the-one'))).toBe('taken');
});

test('a name that another Tenant has is told without a word of whose it is', async () => {
  const operator = ecsOperator({ policy: { ecs: { allowed_service_names: ['*'] } } });
  const containers = [{ name: 'app', image: 'app:1' }];
  expect(await operator.apply({ ...named('shop'), containers }, { namespace: 'hr', name: 'payroll' })).toBe(
    'taken',
  );
  const told = await operator.apply({ ...named('shop'), containers });
  expect(told).toMatch(/^ProviderConflict: service shop exists and belongs to a tenant of another namespace/);
  operator.ecs.services.clear();
  const family = await operator.apply({ ...named('shop'), containers });
  expect(family).toMatch(/^ProviderConflict: task definition shop-/);
  for (const message of [told, family]) expect(message).not.toMatch(/payroll|\bhr\b|cluster-1/);
});
