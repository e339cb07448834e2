import type { ContainerDefinition, TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { ecsOperator } from './ecs-operator.ts';

/** What a Tenant puts over the operator's task definition gets the rights of no other container, and no power over a host. */

const app: ContainerDefinition = { name: 'app', image: 'registry.example/team/app:1', essential: true };
const agent: ContainerDefinition = {
  name: 'agent',
  image: 'vendor/agent:7',
  secrets: [{ name: 'API_KEY', valueFrom: 'arn:aws:ssm:us-west-2:123456789012:parameter/key' }],
};
const sock = { name: 'sock', host: { sourcePath: '/var/run/docker.sock' } };
const mounts = (sourceVolume: string) => ({ mountPoints: [{ sourceVolume, containerPath: '/mnt' }] });
const evil = { image: 'evil.example/x:1', command: ['/bin/sh'] };

const overlay = (name: string, over: object = evil) => ({ containers: [{ name, image: 'app:1', ...over }] });
const operatorWith = (base: Partial<TaskDefinition>, policy = {}) =>
  ecsOperator({ base: { executionRoleArn: 'arn:aws:iam::123456789012:role/x', ...base }, policy });

describe('a container of the base that is not the first', () => {
  const base = { containerDefinitions: [app, agent] };

  test('is not overlaid, and nothing is registered', async () => {
    const operator = operatorWith(base);
    expect(await operator.apply(overlay('agent'))).toBe(
      'PolicyDenied: policy.ecs.overlay_containers: container agent of the task definition tenant-app:12 is not one that ' +
        "tenants may overlay. Overlay app, or add a container of another name, or have the operator's admin allow it",
    );
    expect(operator.writes()).toEqual([]);
  });

  test('is not overlaid beside the first', async () => {
    const operator = operatorWith(base);
    const { containers } = overlay('app');
    expect(await operator.apply({ containers: [...containers, ...overlay('agent').containers] })).toMatch(
      /^PolicyDenied: policy\.ecs\.overlay_containers: container agent /,
    );
    expect(operator.writes()).toEqual([]);
  });

  test('is not overlaid by a spec that follows one that was good', async () => {
    const operator = operatorWith(base);
    expect(await operator.apply(overlay('app'))).toBe('taken');
    operator.writes();
    expect(await operator.apply(overlay('agent'))).toMatch(/^PolicyDenied/);
    expect(operator.writes()).toEqual([]);
  });

  test('is overlaid where the policy lists it', async () => {
    const operator = operatorWith(base, { ecs: { overlay_containers: ['agent'] } });
    expect(await operator.apply(overlay('agent'))).toBe('taken');
  });

  test('stays as it is beside one that is added', async () => {
    const operator = operatorWith(base);
    expect(await operator.apply(overlay('more'))).toBe('taken');
    const arn = operator.service()?.taskDefinition ?? '';
    const [, second, third] =
      operator.ecs.taskDefinitions.get(arn)?.taskDefinition.containerDefinitions ?? [];
    expect(second).toEqual(agent);
    expect(third).toMatchObject({ name: 'more', image: 'evil.example/x:1', environment: [], secrets: [] });
  });
});

describe('a container with power over its host is never overlaid', () => {
  test.each<[what: string, power: Partial<ContainerDefinition>, task?: Partial<TaskDefinition>]>([
    ['a privileged one', { privileged: true }],
    ['one with a path of the host', mounts('sock'), { volumes: [sock] }],
    [
      'one with a volume that is a path of the host in disguise',
      mounts('root'),
      {
        volumes: [
          {
            name: 'root',
            dockerVolumeConfiguration: { driverOpts: { type: 'none', o: 'bind', device: '/' } },
          },
        ],
      },
    ],
    ['one with capabilities', { linuxParameters: { capabilities: { add: ['SYS_ADMIN'] } } }],
    ['one with a device', { linuxParameters: { devices: [{ hostPath: '/dev/sda' }] } }],
    ['one without seccomp', { dockerSecurityOptions: ['seccomp:unconfined'] }],
    ['one without SELinux', { dockerSecurityOptions: ['label:disable'] }],
    ['one among the processes of the host', {}, { pidMode: 'host' }],
    ['one with the memory of the host', {}, { ipcMode: 'host' }],
  ])('%s', async (_what, power, task = {}) => {
    const base = { ...task, containerDefinitions: [{ ...app, ...power }, agent] };
    const operator = operatorWith(base, { ecs: { overlay_containers: ['app', 'agent'] } });
    for (const over of [evil, { image: app.image }, { image: app.image, env: [{ name: 'A', value: 'b' }] }]) {
      expect(await operator.apply(overlay('app', over))).toMatch(
        /^PolicyDenied: policy\.ecs\.overlay_containers: .* and no tenant may overlay /,
      );
    }
    expect(operator.writes()).toEqual([]);
  });

  test('nor one that has the volumes of such a one, by however many others', async () => {
    const holder = { name: 'holder', image: 'holder:1', ...mounts('sock') };
    const between = { name: 'between', image: 'between:1', volumesFrom: [{ sourceContainer: 'holder' }] };
    const first = { ...app, volumesFrom: [{ sourceContainer: 'between' }, { sourceContainer: 'app' }] };
    const operator = operatorWith({ volumes: [sock], containerDefinitions: [first, between, holder] });
    expect(await operator.apply(overlay('app'))).toMatch(/^PolicyDenied: policy\.ecs\.overlay_containers/);
  });

  test('nor is one added beside it where all share the host’s processes', async () => {
    const operator = operatorWith({ pidMode: 'host', containerDefinitions: [app] });
    expect(await operator.apply(overlay('more'))).toMatch(/^PolicyDenied: policy\.ecs\.overlay_containers/);
  });

  test('and a container of its own beside it is taken', async () => {
    const powerful = { ...agent, privileged: true, ...mounts('sock') };
    const operator = operatorWith({ volumes: [sock], containerDefinitions: [app, powerful] });
    expect(await operator.apply(overlay('app'))).toBe('taken');
  });

  test('a volume of the task’s own gives no such power', async () => {
    const volumes = [
      { name: 'own', host: {} },
      { name: 'nfs', dockerVolumeConfiguration: { driverOpts: { type: 'nfs', device: ':/data' } } },
    ];
    const mountPoints = [...mounts('own').mountPoints, ...mounts('nfs').mountPoints];
    const operator = operatorWith({ volumes, containerDefinitions: [{ ...app, mountPoints }] });
    expect(await operator.apply(overlay('app'))).toBe('taken');
  });
});

describe('the registry’s password in the base is', () => {
  const repositoryCredentials = { credentialsParameter: 'arn:aws:secretsmanager:us-west-2:1:secret:hub' };
  const keptFor = async (baseImage: string | undefined, image: string): Promise<boolean> => {
    const operator = operatorWith({
      containerDefinitions: [{ ...app, image: baseImage, repositoryCredentials }],
    });
    expect(await operator.apply(overlay('app', { image }))).toBe('taken');
    const { taskDefinition } =
      operator.ecs.taskDefinitions.get(operator.service()?.taskDefinition ?? '') ?? {};
    return taskDefinition?.containerDefinitions?.[0]?.repositoryCredentials !== undefined;
  };

  test.each([
    ['acme/private:1', 'acme/private:2'],
    ['acme/private:1', 'docker.io/acme/private'],
    ['acme/private', `acme/private@sha256:${'0'.repeat(64)}`],
    ['registry.example:5000/team/app:1', 'registry.example:5000/team/app:2'],
  ])('that of %s kept for %s', async (baseImage, image) => {
    expect(await keptFor(baseImage, image)).toBe(true);
  });

  test.each([
    ['acme/private:1', 'EVIL/pwn:1'],
    ['acme/private:1', 'Acme/private:1'],
    ['acme/private:1', 'acme/other-private:1'],
    ['acme/private:1', 'evil/private:1'],
    ['acme/private:1', 'acme/private/more:1'],
    ['acme/private:1', 'evil.example/acme/private:1'],
    ['registry.example/team/app:1', 'registry.example/hr/payroll:1'],
    ['registry.example/team/app:1', 'registry.example:5000/team/app:1'],
    [undefined, 'app:1'],
  ])('that of %s not sent for %s', async (baseImage, image) => {
    expect(await keptFor(baseImage, image)).toBe(false);
  });
});
