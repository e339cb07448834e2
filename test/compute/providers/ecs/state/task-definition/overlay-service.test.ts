import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { desireService } from '../../../../../../src/compute/providers/ecs/state/desired.ts';
import { registerInput } from '../../../../../../src/compute/providers/ecs/state/task-definition/register-input.ts';
import { containerSpec, settings, tenantSpec } from '../../ecs-fixture.ts';
import { baseArn } from '../../memory-ecs.ts';
import { keyCases, lattice, openServicePolicy, role } from '../../service-keys.ts';

/** What an overlay gets from the keys of the service, and from the task definition that it stands over. */

const logs = {
  logDriver: 'awslogs',
  options: { 'awslogs-group': 'tenants', 'awslogs-stream-prefix': 'a' },
} as const;
const base: TaskDefinition = {
  taskDefinitionArn: baseArn,
  networkMode: 'awsvpc',
  taskRoleArn: role('task'),
  containerDefinitions: [
    { name: 'app', image: 'app:0', environment: [{ name: 'A', value: 'b' }], logConfiguration: logs },
    { name: 'agent', image: 'agent:1' },
  ],
};
const operator = settings(
  { secret_arns: { '*/*/*': 'arn:aws:ssm:us-west-2:123456789012:parameter/{namespace}/{name}/{key}' } },
  { ...openServicePolicy, allowed_task_roles: [role('team-a*')], allowed_execution_roles: [role('reader')] },
);
const port = { name: 'http', containerPort: 8080, protocol: 'TCP' } as const;
const containers = [
  containerSpec('app', { ports: [port, { containerPort: 9090, protocol: 'TCP' }] }),
  containerSpec('more'),
];

function register(config: Record<string, unknown>, specs = containers, over: Partial<TaskDefinition> = {}) {
  const { overlay, ownerTags } = desireService(tenantSpec(config, { containers: specs }), operator);
  if (overlay === undefined) throw new Error('no overlay');
  return { overlay, input: registerInput(overlay, { ...base, ...over }, ownerTags) };
}

describe('a container that is added', () => {
  test('logs where the first of the base does, and has nothing else of it', () => {
    const { input } = register({});
    const added = input.containerDefinitions.find(({ name }) => name === 'more');
    expect(added).toEqual({
      name: 'more',
      image: 'app:1',
      essential: true,
      environment: [],
      secrets: [],
      logConfiguration: logs,
    });
  });

  test('logs nowhere where the first of the base does not', () => {
    const { input } = register({}, containers, { containerDefinitions: [{ name: 'app', image: 'app:0' }] });
    expect(input.containerDefinitions.at(-1)).not.toHaveProperty('logConfiguration');
  });
});

describe('roles', () => {
  const roles = { task_role_arn: role('team-a-task'), execution_role_arn: role('reader') };

  test('that are named go before those of the base, and into the hash', () => {
    const { overlay, input } = register(roles);
    expect(input).toMatchObject({ taskRoleArn: role('team-a-task'), executionRoleArn: role('reader') });
    expect(overlay.hash).not.toBe(register({}).overlay.hash);
  });

  test('that are not named are the base’s', () => {
    expect(register({}).input).toMatchObject({ taskRoleArn: role('task') });
  });

  test('read secrets that the base’s can not', () => {
    const reading = [
      containerSpec('app', { env: [{ name: 'P', secretKeyRef: { name: 'db', key: 'password' } }] }),
    ];
    expect(() => register({}, reading)).toThrow('has no execution role to read them with');
    expect(register(roles, reading).input.executionRoleArn).toBe(role('reader'));
  });

  test.each([
    [{ task_role_arn: role('admin') }, 'policy.ecs.allowed_task_roles: role'],
    [{ execution_role_arn: role('admin') }, 'policy.ecs.allowed_execution_roles: role'],
  ])('that are not listed are refused: %j', (config, words) => {
    expect(() => register(config)).toThrow(words);
  });

  test('of the operator’s are not done without, and are for overlays alone', () => {
    const own = settings({ task_role_arn: role('own') });
    const desire = (config: Record<string, unknown>, specs = containers) =>
      desireService(tenantSpec(config, { containers: specs }), own);
    expect(() => desire({})).toThrow('policy.ecs.allowed_task_roles: task_role_arn is unset');
    expect(desire({ task_role_arn: role('own') }).overlay?.roles).toEqual({ taskRoleArn: role('own') });
    expect(desire({ task_role_arn: role('own') }, []).overlay).toBeUndefined();
    expect(() => desireService(tenantSpec(roles), operator)).toThrow(
      'spec.computeConfig.ecs.task_role_arn: is of spec.containers',
    );
  });
});

describe('ports', () => {
  const portsOf = (config: Record<string, unknown>) =>
    register(config).input.containerDefinitions[0]?.portMappings?.map(({ name }) => name);

  test.each([
    { service_connect_configuration: keyCases['service_connect_configuration']?.config },
    {
      vpc_lattice_configurations: [
        { role_arn: role('x'), target_group_arn: lattice('tg-1'), port_name: 'http' },
      ],
    },
  ])('bear their names where the service is reached by them: %j', (config) => {
    expect(portsOf(config)).toEqual(['http', undefined]);
    expect(register(config).overlay.hash).not.toBe(register({}).overlay.hash);
  });

  test('bear none otherwise', () => {
    expect(portsOf({})).toEqual([undefined, undefined]);
    const client = { service_connect_configuration: { enabled: true, namespace: 'shop' } };
    expect(portsOf(client)).toEqual([undefined, undefined]);
    expect(register(client).overlay.hash).toBe(register({}).overlay.hash);
  });
});
