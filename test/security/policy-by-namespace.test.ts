import { describe, expect, test } from 'vitest';
import { createEcsProvider, ecsProvider } from '../../src/compute/providers/ecs/provider.ts';
import { context, openPolicy, settings, tenantSpec } from '../compute/providers/ecs/ecs-fixture.ts';
import { memoryEcs } from '../compute/providers/ecs/memory-ecs.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { dockerOperator, withImage } from './docker-operator.ts';

/** What one namespace may ask for is refused to every other one. */
const policy = {
  allowed_images: ['registry.example/base/*'],
  max_resources: { cpu: '1', memory: '1Gi' },
  namespaces: [
    {
      names: ['team-a'],
      allowed_images: ['registry.example/team-a/*'],
      max_resources: { cpu: '4' },
      docker: { allowed_host_paths: ['/srv/a'], allow_host_network: true, allow_join_network: true },
    },
    { names: ['team-b'], docker: { allowed_host_paths: ['/srv/b'] } },
  ],
};
const limits = { resources: { cpu: '1', memory: '1Gi' } };
const base = 'registry.example/base/app:1';
const inDocker = (docker: object) => ({ ...withImage(base, limits), computeConfig: { docker } });

describe.each<[string, object, string]>([
  ['an image', withImage('registry.example/team-a/app:1', limits), 'allowed_images'],
  ['more CPU', withImage(base, { resources: { cpu: '4', memory: '1Gi' } }), 'max_resources.cpu'],
  ['a host path', inDocker({ volumes: ['/srv/a/data:/data:ro'] }), 'docker.allowed_host_paths'],
  ["the host's network", inDocker({ network_mode: 'host' }), 'docker.allow_host_network'],
  ["another container's network", inDocker({ network_mode: 'container:db' }), 'docker.allow_join_network'],
])('%s', (_what, spec, rule) => {
  test('is taken in the namespace that may have it', async () => {
    const engine = memoryEngine(['db:1']);
    await engine.createContainer('db', { Image: 'db:1' }, new AbortController().signal);
    const operator = dockerOperator({ policy, engine });
    expect(await operator.settle('team-a', spec)).toBe('Every container is as desired');
  });

  test.each(['team-b', 'team-c', 'team-a-x', 'TEAM-A', ''])('is refused in %j', async (namespace) => {
    const operator = dockerOperator({ policy });
    expect(await operator.apply(namespace, spec)).toMatch(new RegExp(`^PolicyDenied: policy\\.${rule}: `));
    expect(operator.engine.calls).toEqual([]);
  });
});

test('what all may ask for, each namespace may, and its own bounds hold', async () => {
  const operator = dockerOperator({ policy });
  for (const namespace of ['team-a', 'team-b', 'team-c']) {
    expect(await operator.settle(namespace, withImage(base, limits))).toBe('Every container is as desired');
  }
  const tooLarge = withImage(base, { resources: { cpu: '5', memory: '1Gi' } });
  expect(await operator.apply('team-a', tooLarge)).toMatch(/more cpu together than the 4 /);
});

describe('by the labels of namespaces', () => {
  const image = withImage('registry.example/team-a/app:1', limits);
  const bySelector = {
    allowed_images: ['registry.example/base/*'],
    namespaces: [{ selector: 'team=a,!guest', allowed_images: ['registry.example/team-a/*'] }],
  };
  const namespaceLabels = {
    mine: { team: 'a' },
    theirs: { team: 'b' },
    bare: {},
    guest: { team: 'a', guest: '' },
    alike: { Team: 'a', 'x/team': 'a', team: 'A' },
  };
  const start = () => dockerOperator({ policy: bySelector, namespaceLabels });

  test('those that are selected may have it', async () => {
    expect(await start().settle('mine', image)).toBe('Every container is as desired');
  });

  test.each(['theirs', 'bare', 'guest', 'alike'])('%s, which is not, may not', async (namespace) => {
    const operator = start();
    expect(await operator.apply(namespace, image)).toMatch(/^PolicyDenied: policy\.allowed_images: /);
    expect(operator.engine.calls).toEqual([]);
  });

  test.each(['unknown', 'MINE', 'mine ', '', '__proto__'])(
    'where they are not known, as of %j, nothing is granted and nothing is made',
    async (namespace) => {
      const operator = start();
      for (const asked of [image, withImage(base, limits)]) {
        expect(await operator.apply(namespace, asked)).toMatch(
          /^AccessDenied: policy\.namespaces: the labels of namespace .* are not known/,
        );
      }
      expect(operator.engine.calls).toEqual([]);
    },
  );

  test('a bound that a selector sets can not be had looser by labels that are not known', async () => {
    const narrowed = { namespaces: [{ selector: 'untrusted', max_resources: { cpu: '1' } }] };
    const large = withImage(base, { resources: { cpu: '8', memory: '1Gi' } });
    const operator = dockerOperator({ policy: narrowed, namespaceLabels: { known: {} } });
    expect(await operator.apply('fresh', large)).toMatch(/^AccessDenied: /);
    expect(await operator.settle('known', large)).toBe('Every container is as desired');
  });
});

describe('on ECS', () => {
  const role = 'arn:aws:iam::123456789012:role/team-a';
  const cluster = 'arn:aws:ecs:us-west-2:123456789012:cluster/team-a';
  const namespaces = [
    {
      names: ['team-a'],
      ecs: {
        allowed_roles: [{ role_arn: role, external_id: 'a-1' }],
        allowed_clusters: [cluster],
        allowed_task_definitions: ['team-a'],
      },
    },
  ];
  const { block, policy: own } = settings();
  const provider = ecsProvider(memoryEcs(), block, own, context({ policy: { ...openPolicy, namespaces } }));

  test.each<[string, Record<string, unknown>, string]>([
    ['role', { assume_role: { role_arn: role } }, 'allowed_roles'],
    ['cluster', { cluster_arn: cluster }, 'allowed_clusters'],
    [
      'task definition',
      { task_definition_arn: 'arn:aws:ecs:us-west-2:123456789012:task-definition/team-a:3' },
      'allowed_task_definitions',
    ],
  ])('a %s is for the namespace that has it alone', (_what, config, rule) => {
    const spec = (namespace: string) =>
      tenantSpec(config, { tenant: { namespace, name: 'acme', uid: 'uid-1' } });
    expect(provider.desired(spec('team-a')).namespace).toBe('team-a');
    expect(() => provider.desired(spec('team-b'))).toThrow(
      expect.objectContaining({
        code: 'PolicyDenied',
        message: expect.stringContaining(`policy.ecs.${rule}: `),
      }),
    );
  });

  test('a role can not be listed for two namespaces with two external ids', () => {
    const other = { names: ['team-b'], ecs: { allowed_roles: [{ role_arn: role, external_id: 'b-1' }] } };
    const policy = { ...openPolicy, namespaces: [...namespaces, other] };
    expect(() => createEcsProvider({ block, policy: own }, context({ policy }))).toThrow(
      `policy.ecs.allowed_roles: ${role} is listed with different external ids`,
    );
  });
});
