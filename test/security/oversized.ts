import type { BadManifest } from '../api/manifests.ts';

/**
 * Tenants of a size, or with signs, that no engine should ever see. The zod schemas and the CRD are both held to the
 * table, the latter by a real apiserver.
 */
const of = (what: string, spec: unknown, field: string): BadManifest => ({
  what,
  manifest: { apiVersion: 'landlord.dev/v1alpha1', kind: 'Tenant', metadata: { name: 'acme' }, spec },
  field,
});
const docker = (what: string, block: object, field: string): BadManifest =>
  of(what, { computeConfig: { docker: block } }, `spec.computeConfig.docker.${field}`);
const ecs = (what: string, block: object, field: string): BadManifest =>
  of(what, { computeConfig: { ecs: block } }, `spec.computeConfig.ecs.${field}`);
const container = (what: string, more: object, field: string): BadManifest =>
  of(what, { containers: [{ name: 'app', image: 'app:1', ...more }] }, `spec.containers[0].${field}`);
const map = (count: number, key: (index: number) => string, value = 'x'): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [key(index), value]));
const arn = (what: string): string => `arn:aws:ecs:us-west-2:123456789012:${what}`;

const long = 'a'.repeat(40_000);
/** Ends a text for a C program, sounds a bell, opens a sequence for a terminal, is an old one for a new line. */
const controls = ['\0', '\u0007', '\u001b', '\u0085'];

export const oversizedManifests: readonly BadManifest[] = [
  docker('a volume with a name of 40 KB', { volumes: [`${long}:/data`] }, 'volumes[0]'),
  docker('a volume at a path of 40 KB', { volumes: [`data:/${long}`] }, 'volumes[0]'),
  docker('a volume that no engine takes', { volumes: ['../data:/data'] }, 'volumes[0]'),
  docker('33 volumes', { volumes: Array.from({ length: 33 }, (_, n) => `v${n}:/${n}`) }, 'volumes'),
  docker('33 labels', { labels: map(33, (n) => `l${n}`) }, 'labels'),
  docker('a label of 257 characters', { labels: { a: 'x'.repeat(257) } }, 'labels.a'),
  docker('a label whose key has 129 characters', { labels: { ['a'.repeat(129)]: '' } }, 'labels'),
  docker('a variable of 40 KB in the block', { env: { A: long } }, 'env.A'),
  docker('a network to join with a name of 40 KB', { network_mode: `container:${long}` }, 'network_mode'),
  docker(
    '65 ports in the block',
    { ports: Array.from({ length: 65 }, () => ({ container_port: 1 })) },
    'ports',
  ),
  ...controls.flatMap((sign) => {
    const name = JSON.stringify(sign);
    return [
      docker(`a label with ${name}`, { labels: { a: `x${sign}` } }, 'labels.a'),
      docker(`a label whose key has ${name}`, { labels: { [`x${sign}`]: '' } }, 'labels'),
      docker(`a volume at a path with ${name}`, { volumes: [`data:/x${sign}`] }, 'volumes[0]'),
      ecs(`a tag with ${name}`, { tags: { a: `x${sign}` } }, 'tags.a'),
      ecs(`a tag whose key has ${name}`, { tags: { [`x${sign}`]: '' } }, 'tags'),
      container(`an image with ${name}`, { image: `app${sign}:1` }, 'image'),
    ];
  }),

  ...['aws:x', 'AWS:x', 'aWs:x'].map((key) =>
    ecs(`the tag ${key}, which is AWS' own`, { tags: { [key]: '' } }, 'tags'),
  ),
  ecs('a tag with a sign that AWS does not take', { tags: { a: 'x;y' } }, 'tags.a'),
  ecs('a tag of 257 characters', { tags: { a: 'x'.repeat(257) } }, 'tags.a'),
  ecs('a tag whose key has 129 characters', { tags: { ['a'.repeat(129)]: '' } }, 'tags'),
  ecs('41 tags', { tags: map(41, (n) => `t${n}`) }, 'tags'),
  ecs('a subnet of 40 KB', { subnets: [`subnet-${long}`] }, 'subnets[0]'),
  ecs('a security group of 40 KB', { security_groups: [`sg-${long}`] }, 'security_groups[0]'),
  ecs('a region of 40 KB', { region: `us-${long}-1` }, 'region'),
  ecs('a cluster of 40 KB', { cluster_arn: arn(`cluster/${long}`) }, 'cluster_arn'),
  ecs(
    'a task definition of 40 KB',
    { task_definition_arn: arn(`task-definition/${long}`) },
    'task_definition_arn',
  ),
  ecs(
    'a role of 40 KB',
    { assume_role: { role_arn: `arn:aws:iam::123456789012:role/${long}` } },
    'assume_role.role_arn',
  ),
  of('65 keys for mock', { computeConfig: { mock: map(65, (n) => `k${n}`) } }, 'spec.computeConfig.mock'),

  container('a variable of 40 KB', { env: [{ name: 'A', value: long }] }, 'env[0].value'),
  container('a variable with a NUL', { env: [{ name: 'A', value: 'x\0' }] }, 'env[0].value'),
  container('a command of 40 KB', { command: [long] }, 'command[0]'),
  container('an argument with a NUL', { args: ['x\0'] }, 'args[0]'),
  container('an argument of 40 KB', { args: [long] }, 'args[0]'),
  container('257 arguments', { args: Array.from({ length: 257 }, () => 'x') }, 'args'),
  container('a health check of 40 KB', { healthCheck: { command: [long] } }, 'healthCheck.command[0]'),
  container('a health check with a NUL', { healthCheck: { command: ['x\0'] } }, 'healthCheck.command[0]'),
  container('a limit of 40 KB', { resources: { memory: '1'.repeat(40_000) } }, 'resources.memory'),
  of(
    '65 ports in two containers',
    {
      containers: ['a', 'b'].map((name, half) => ({
        name,
        image: 'app:1',
        ports: Array.from({ length: 32 + half }, (_, index) => ({ containerPort: index + 1 })),
      })),
    },
    'spec.containers',
  ),
  of(
    '128 KB and one character of values in three containers',
    {
      containers: ['a', 'b', 'c'].map((name) => ({
        name,
        image: 'app:1',
        command: ['x'.repeat(20_000)],
        args: ['x'.repeat(20_000)],
        env: [{ name: 'A', value: 'x'.repeat(name === 'c' ? 11_073 : 0) }],
      })),
    },
    'spec.containers',
  ),
];
