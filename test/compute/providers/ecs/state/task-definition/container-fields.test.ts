import { expect, test } from 'vitest';
import {
  containerFields,
  hashedContainer,
  overlayDefinition,
} from '../../../../../../src/compute/providers/ecs/state/task-definition/container-fields.ts';
import { overlayContainer } from '../../../../../../src/compute/providers/ecs/state/task-definition/overlay-container.ts';
import type { ContainerSpec } from '../../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerLifecycle, containerProcess, processVolumes } from '../../../../container-process.ts';
import { containerSpec } from '../../ecs-fixture.ts';

/** One change of each field; a field that is new here does not compile until it has one. */
const changed = {
  name: 'other',
  image: 'app:2',
  command: ['/bin/other'],
  args: ['other'],
  env: [{ name: 'A', value: 'b' }],
  ports: [{ containerPort: 80, protocol: 'TCP' }],
  healthCheck: { command: ['/ok'], intervalSeconds: 5, retries: 3, startPeriodSeconds: 0 },
  resources: { cpu: '1' },
  ...containerProcess,
  ...containerLifecycle,
} as const satisfies Required<ContainerSpec>;
const fields = Object.keys(containerFields) as (keyof ContainerSpec)[];

const surroundings = {
  namespace: 'team-a',
  name: 'acme',
  secretArns: {},
  efsVolumes: {},
  volumes: processVolumes,
};
const hashOf = (spec: ContainerSpec) => JSON.stringify(hashedContainer(overlayContainer(spec, surroundings)));
const definitionOf = (spec: ContainerSpec) =>
  overlayDefinition(overlayContainer(spec, surroundings), { name: spec.name });

test.each(fields)('a change of %s is hashed and defined as the table says', (field) => {
  const before = containerSpec('app');
  const after: ContainerSpec = { ...before, [field]: changed[field] };
  const isRollout = containerFields[field].change === 'rollout';
  expect(hashOf(after) !== hashOf(before)).toBe(isRollout);
  // A platform is the whole task's.
  const isDefined = isRollout && field !== 'platform';
  expect(JSON.stringify(definitionOf(after)) !== JSON.stringify(definitionOf(before))).toBe(isDefined);
});

test('a table of fields that lacks one, or has one too many, does not compile', () => {
  const all: Readonly<Record<keyof ContainerSpec, unknown>> = containerFields;
  const { healthCheck, ...lacking } = containerFields;
  // @ts-expect-error A change of the health check would never be rolled out.
  const less: typeof all = lacking;
  // @ts-expect-error No container has such a field.
  const more = { ...all, other: healthCheck } satisfies Record<keyof ContainerSpec, unknown>;
  expect([Object.keys(less).length, Object.keys(more).length]).toEqual([
    fields.length - 1,
    fields.length + 1,
  ]);
});
