import { expect, test } from 'vitest';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import type { ContainerSpec } from '../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, settings, tenantSpec } from '../ecs-fixture.ts';

/** Hashes stand in the tags of running services: another one for the same spec would roll out every tenant. */

const operator = settings(
  {
    secret_arns: { 'team-a/*/*': 'arn:aws:secretsmanager:us-west-2:1:secret:{name}/{key}' },
  },
  { allowed_subnets: ['subnet-1', 'subnet-2'], allowed_security_groups: ['sg-1'] },
);

const full: Partial<ContainerSpec> = {
  image: 'registry.example/app:1',
  command: ['/bin/app'],
  args: ['serve', '--all'],
  env: [
    { name: 'LEVEL', value: 'info' },
    { name: 'DB_PASSWORD', secretKeyRef: { name: 'acme-db', key: 'password' } },
    { name: 'A', value: '' },
  ],
  ports: [
    { name: 'http', containerPort: 8080, protocol: 'TCP' },
    { containerPort: 53, hostPort: 53, protocol: 'UDP' },
  ],
  healthCheck: {
    command: ['/bin/ok'],
    intervalSeconds: 5,
    timeoutSeconds: 3,
    retries: 3,
    startPeriodSeconds: 10,
  },
  resources: { cpu: '300m', memory: '600Mi' },
};
const everything = {
  desired_count: 3,
  launch_type: 'FARGATE',
  subnets: ['subnet-2', 'subnet-1'],
  security_groups: ['sg-1'],
  assign_public_ip: true,
  tags: { team: 'a', stage: 'dev' },
  drain: true,
};

test.each<
  [what: string, config: object, containers: ContainerSpec[], spec: string, overlay: string | undefined]
>([
  ['nothing', {}, [], 'v1:01b4ca7877dc27e8cf969c0c83684d38', undefined],
  ['a block', everything, [], 'v1:5d62a174b051c999d0ba514ca56fa7d9', undefined],
  [
    'a container',
    {},
    [containerSpec('app')],
    'v1:f8501982b8ac9aeabdef84d852b252d7',
    'v1:105ec008490e5d938a0483887841a5b6',
  ],
  [
    'a full container',
    {},
    [containerSpec('app', full)],
    'v1:0b302d341feeb9e82e08910766109537',
    'v1:877d1e552c96a17ad1d89884c12a1303',
  ],
  [
    'two containers and a block',
    { ...everything, tags: {} },
    [containerSpec('app', { ...full, ports: [{ containerPort: 80, protocol: 'TCP' }] }), containerSpec('db')],
    'v1:9f6cae30f6a585ea97e6b0715ff4de47',
    'v1:ba44388f5182f4077262db962abf06b8',
  ],
])('the hashes of %s stay what they are', (_what, config, containers, spec, overlay) => {
  const desired = desireService(tenantSpec({ ...config }, { containers }), operator);
  expect([desired.specHash, desired.overlay?.hash]).toEqual([spec, overlay]);
});
