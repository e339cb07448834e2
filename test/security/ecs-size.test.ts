import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { ecsOperator } from './ecs-operator.ts';

/** A Tenant has no more of an account than the operator's policy gives it, whichever way it asks for more. */

const bounds = { max_resources: { cpu: '1', memory: '4Gi' } };
const sized = (cpu: string, memory: string): Partial<TaskDefinition> => ({
  cpu,
  memory,
  containerDefinitions: [{ name: 'app', image: 'app:0' }],
});
const counted = (desired_count: number | null, more = {}) => ({
  computeConfig: { ecs: { desired_count, ...more } },
});
const tooMuch = /^PolicyDenied: policy\.max_resources\.cpu: /;

describe('a task definition that runs as it is', () => {
  const operatorOf = () => ecsOperator({ policy: bounds, base: sized('512', '1024') });

  test('is not made too often', async () => {
    const operator = operatorOf();
    expect(await operator.apply(counted(3))).toMatch(tooMuch);
    expect(operator.writes()).toEqual([]);
    expect(await operator.apply(counted(2))).toBe('taken');
  });

  test('is not scaled to too many later on', async () => {
    const operator = operatorOf();
    await operator.apply(counted(1));
    operator.writes();
    expect(await operator.apply(counted(50))).toBe(
      'PolicyDenied: policy.max_resources.cpu: 50 tasks of tenant-app:12 have more cpu together than the 1 that a ' +
        "tenant may use. Ask for less, or have the operator's admin allow it",
    );
    expect(operator.writes()).toEqual([]);
    expect(await operator.apply(counted(2))).toBe('taken');
    expect(operator.service()?.desiredCount).toBe(2);
  });

  test('is not scaled to too many beside another change', async () => {
    const operator = operatorOf();
    await operator.apply(counted(1));
    operator.writes();
    expect(await operator.apply(counted(50, { drain: true, launch_type: 'FARGATE' }))).toMatch(tooMuch);
    expect(operator.writes()).toEqual([]);
  });

  test('is not changed for a larger one where as many run by autoscaling', async () => {
    const operator = operatorOf();
    const larger = operator.ecs.addTaskDefinition({
      family: 'tenant-app',
      revision: 13,
      ...sized('1024', '2048'),
    });
    await operator.apply(counted(null));
    Object.assign(operator.service() ?? {}, { desiredCount: 2 });
    operator.writes();
    expect(await operator.apply(counted(null, { task_definition_arn: larger }))).toMatch(tooMuch);
    expect(operator.writes()).toEqual([]);
  });

  test('does not come back from a drain in too many tasks', async () => {
    const operator = operatorOf();
    await operator.apply(counted(null, { drain: true }));
    const service = operator.service();
    Object.assign(service ?? {}, { desiredCount: 0 });
    for (const tag of service?.tags ?? []) if (tag.key === 'landlord.drain') tag.value = 'from 5000';
    operator.writes();
    expect(await operator.apply(counted(null))).toMatch(tooMuch);
    expect(operator.writes()).toEqual([]);
  });

  test('that is held is not scaled to too many', async () => {
    const operator = operatorOf();
    await operator.apply(counted(2));
    Object.assign(operator.service() ?? {}, { desiredCount: 1 });
    // Somebody else's revision runs: that of the spec was taken back.
    const larger = operator.ecs.addTaskDefinition({
      family: 'tenant-app',
      revision: 13,
      ...sized('1024', '2048'),
    });
    Object.assign(operator.service() ?? {}, { taskDefinition: larger });
    operator.writes();
    expect(await operator.hold(counted(2))).toMatch(tooMuch);
    expect(operator.writes()).toEqual([]);
  });

  test('is not taken away for a service that could not be made', async () => {
    const operator = ecsOperator({
      policy: { ...bounds, ecs: { allowed_launch_types: ['EXTERNAL'] } },
      block: { launch_type: 'EC2' },
      base: sized('512', '1024'),
    });
    await operator.apply(counted(2));
    for (const { taskDefinition } of operator.ecs.taskDefinitions.values()) taskDefinition.cpu = '1024';
    operator.writes();
    expect(await operator.apply(counted(2, { launch_type: 'EXTERNAL' }))).toMatch(tooMuch);
    expect(operator.writes()).toEqual([]);
  });

  test('whose size nobody names has none that could be held to the bound', async () => {
    const operator = ecsOperator({ policy: bounds });
    expect(await operator.apply(counted(1))).toBe(
      'PolicyDenied: policy.max_resources.cpu: container app of tenant-app:12 names no cpu limit, and tenants may use at ' +
        "most 1. Name a task definition that has one, or have the operator's admin allow it",
    );
  });
});

describe('containers over a task definition', () => {
  const fargate: Partial<TaskDefinition> = {
    ...sized('256', '512'),
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
  };
  const tiny = (desired_count: number, resources = { cpu: '10m', memory: '6Mi' }) => ({
    ...counted(desired_count, { launch_type: 'FARGATE' }),
    containers: [{ name: 'app', image: 'app:1', resources }],
  });

  test('count as what Fargate rounds them up to', async () => {
    const operator = ecsOperator({ policy: bounds, base: fargate });
    expect(await operator.apply(tiny(5))).toMatch(tooMuch);
    expect(operator.writes()).toEqual([]);
    expect(await operator.apply(tiny(4))).toBe('taken');
    operator.writes();
    expect(await operator.apply(tiny(5))).toMatch(tooMuch);
    expect(operator.writes()).toEqual([]);
  });

  test('count with the containers that they leave as they are', async () => {
    const containerDefinitions = [{ name: 'app' }, { name: 'sidecar', image: 's:1', cpu: 512, memory: 64 }];
    const operator = ecsOperator({ policy: bounds, base: { containerDefinitions } });
    const spec = (desired_count: number) => ({
      ...counted(desired_count),
      containers: [{ name: 'app', image: 'app:1', resources: { cpu: '250m', memory: '64Mi' } }],
    });
    expect(await operator.apply(spec(2))).toMatch(tooMuch);
    expect(operator.writes()).toEqual([]);
    expect(await operator.apply(spec(1))).toBe('taken');
  });

  test('count with one of which nobody says how much it may use', async () => {
    const containerDefinitions = [{ name: 'app' }, { name: 'sidecar', image: 's:1', memory: 64 }];
    const operator = ecsOperator({ policy: bounds, base: { containerDefinitions } });
    const resources = { cpu: '10m', memory: '64Mi' };
    expect(await operator.apply({ containers: [{ name: 'app', image: 'app:1', resources }] })).toMatch(
      /^PolicyDenied: policy\.max_resources\.cpu: container sidecar of /,
    );
    expect(operator.writes()).toEqual([]);
  });

  test('count once more where a revision of them is there already', async () => {
    const operator = ecsOperator({ policy: bounds, base: fargate });
    await operator.apply(tiny(4));
    await operator.apply(tiny(1, { cpu: '300m', memory: '1Gi' }));
    operator.writes();
    expect(await operator.apply(tiny(5))).toMatch(tooMuch);
    expect(operator.writes()).toEqual([]);
  });

  test('count as one task where none is to run', async () => {
    const operator = ecsOperator({ policy: bounds, base: fargate });
    expect(await operator.apply(tiny(0, { cpu: '1001m', memory: '64Mi' }))).toMatch(tooMuch);
  });
});

describe('the number of tasks is bounded without a bound on resources', () => {
  test.each([101, 5000])('at 100: %i', async (count) => {
    const operator = ecsOperator();
    expect(await operator.apply(counted(count))).toBe(
      `PolicyDenied: policy.ecs.max_desired_count: ${count} tasks are more than the 100 that tenants may ask for. ` +
        "Ask for fewer, or have the operator's admin allow it",
    );
    expect(await operator.apply(counted(100))).toBe('taken');
    expect(await operator.apply(counted(count))).toMatch(/^PolicyDenied: policy\.ecs\.max_desired_count/);
    expect(operator.service()?.desiredCount).toBe(100);
  });

  test('where the policy says so', async () => {
    const operator = ecsOperator({ policy: { ecs: { max_desired_count: 2 } } });
    expect(await operator.apply(counted(3))).toMatch(/than the 2 that/);
    expect(await operator.apply(counted(2))).toBe('taken');
  });

  test('not where the operator itself names more', async () => {
    const operator = ecsOperator({ block: { desired_count: 200 } });
    expect(await operator.apply({})).toBe('taken');
    expect(operator.service()?.desiredCount).toBe(200);
    expect(await operator.apply(counted(199))).toMatch(/^PolicyDenied: policy\.ecs\.max_desired_count/);
  });
});
