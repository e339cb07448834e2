import { expect, test } from 'vitest';
import { manifestsFrom, readSamples } from '../../dev/demo/samples.ts';

const standIns = {
  registryAddress: '127.0.0.1:5000',
  ecs: {
    endpoint: 'http://127.0.0.1:4000',
    cluster_arn: 'arn:aws:ecs:us-west-2:000000000000:cluster/demo',
    task_definition_arn: 'arn:aws:ecs:us-west-2:000000000000:task-definition/demo:1',
    subnets: ['subnet-1'],
    security_groups: ['sg-1'],
  },
};

test('images of the samples come from the registry of the demo, wherever they stand; nothing else is changed', () => {
  const text = `
kind: Tenant
metadata: {name: registry.example}
spec:
  computeConfig: {docker: {image: registry.example/app:1}}
  containers: [{name: a, image: registry.example/app:2, args: [--from=registry.example/x]}]
---
kind: Secret
`;
  expect(manifestsFrom(text, standIns)).toEqual([
    {
      kind: 'Tenant',
      metadata: { name: 'registry.example' },
      spec: {
        computeConfig: { docker: { image: '127.0.0.1:5000/app:1' } },
        containers: [{ name: 'a', image: '127.0.0.1:5000/app:2', args: ['--from=registry.example/x'] }],
      },
    },
    { kind: 'Secret' },
  ]);
});

test('an ECS block gets the ARNs and ids of the account that is there, and keeps what it asks for besides', () => {
  const text = `
kind: Tenant
metadata: {name: billing}
spec:
  suspend: true
  computeConfig:
    mock: {subnets: [subnet-123]}
    ecs: {cluster_arn: 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord', subnets: [subnet-123], desired_count: 2}
`;
  const { cluster_arn, subnets } = standIns.ecs;
  expect(manifestsFrom(text, standIns)).toEqual([
    {
      kind: 'Tenant',
      metadata: { name: 'billing' },
      spec: {
        suspend: true,
        computeConfig: {
          mock: { subnets: ['subnet-123'] },
          ecs: { cluster_arn, subnets, desired_count: 2 },
        },
      },
    },
  ]);
});

test('no sample asks for an image or an AWS account that the demo does not have', async () => {
  const text = JSON.stringify(await readSamples(standIns));
  expect(text).not.toContain('registry.example');
  // Whose proxy is of a public registry.
  expect(text).not.toContain('"edge"');
  expect([...new Set([...text.matchAll(/"image":"([^"]+)"/g)].map((match) => match[1]))]).toEqual([
    '127.0.0.1:5000/app:1',
  ]);
  expect(
    [...new Set([...text.matchAll(/arn:aws:[a-z]+:[^"]+/g)].map((match) => match[0]))].toSorted(),
  ).toEqual([standIns.ecs.cluster_arn, standIns.ecs.task_definition_arn]);
  expect([...new Set([...text.matchAll(/"(?:subnet|sg)-[^"]+"/g)].map((match) => match[0]))]).toEqual([
    '"subnet-1"',
    '"sg-1"',
  ]);
});
