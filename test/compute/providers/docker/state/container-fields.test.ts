import { expect, it } from 'vitest';
import { containerFields } from '../../../../../src/compute/providers/docker/state/container-fields.ts';
import type { ContainerFieldRules } from '../../../../../src/compute/providers/docker/state/container-fields.ts';
import { desiredTenant } from '../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { changesOf, compareTenant } from '../../../../../src/compute/providers/docker/state/diff.ts';
import type { ContainerSpec } from '../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerLifecycle, containerProcess, processVolumes } from '../../../container-process.ts';
import { containerSpec, settings, tenantSpec } from '../docker-fixture.ts';
import { asDesired } from '../observed-fixture.ts';

// @ts-expect-error A table in which the rule of a field is missing does not compile.
const withoutImage: ContainerFieldRules = (({ image: _image, ...rest }) => rest)(containerFields);
// @ts-expect-error Nor does one with a rule for what is no field.
const withMore: ContainerFieldRules = { ...containerFields, imagee: { change: 'nothing' } };

/** Another value of each field than a container has that says nothing. */
const others: { readonly [F in keyof Required<ContainerSpec>]: ContainerSpec[F] } = {
  name: 'web',
  image: 'app:2',
  command: ['/app'],
  args: ['serve'],
  env: [{ name: 'A', value: '1' }],
  ports: [{ containerPort: 80, protocol: 'TCP' }],
  healthCheck: { command: ['/ok'], intervalSeconds: 1, retries: 1, startPeriodSeconds: 0 },
  resources: { cpu: '1' },
  ...containerProcess,
  ...containerLifecycle,
};
const pair = (over: Partial<ContainerSpec>) =>
  desiredTenant(
    tenantSpec(
      {},
      { containers: [{ ...containerSpec('app'), ...over }, containerSpec('db')], volumes: processVolumes },
    ),
    settings(),
  );

it('has a rule for every field, and no other', () => {
  expect(Object.keys(containerFields).toSorted()).toEqual(Object.keys(others).toSorted());
  expect([withoutImage, withMore]).toHaveLength(2);
});

it.each(Object.entries(containerFields))(
  'of a change of %s, what is said to follow does',
  (field, { change }) => {
    const before = pair({});
    const after = pair({ [field]: others[field as keyof ContainerSpec] });
    const observed = before.containers.map((container) => asDesired(container));
    const { containers } = compareTenant(after, observed);
    expect(changesOf(compareTenant(after, observed)).length > 0).toBe(change !== 'nothing');
    expect(after.specHash).not.toBe(before.specHash);
    expect([containers[0]?.currentMatches, containers[0]?.liveDiffers]).toEqual(
      { rollout: [false, false], live: [true, true], nothing: [true, false] }[change],
    );
  },
);
