import { expect, test } from 'vitest';
import { crdMissing } from '../../src/controller/followed/missing-crd.ts';
import type { Refusal } from '../../src/kube/cache/reflector.ts';
import { notReady } from '../../src/operator/readiness.ts';

const forbidden: Refusal = {
  namespace: 'team-a',
  message: 'tenants is forbidden',
  isServed: true,
  isLost: false,
};
const lost: Refusal = { ...forbidden, isLost: true };
const unserved: Refusal = { namespace: undefined, message: '404', isServed: false, isLost: true };

const followed = (...refusals: Refusal[]) => ({ refusals: () => refusals });
const controller = (synced: boolean) => ({ tenants: { hasSynced: () => synced } });

const working = { waits: false, controller: controller(true) };
const standby = { waits: true, controller: undefined };

test('an operator is ready once it knows the Tenants', () => {
  expect(notReady(undefined, { waits: false, controller: undefined })).toBe('Tenants are not known yet');
  expect(notReady(followed(), { waits: false, controller: undefined })).toBe('Tenants are not known yet');
  expect(notReady(followed(), { waits: false, controller: controller(false) })).toBe(
    'Tenants are not known yet',
  );
  expect(notReady(followed(), working)).toBeUndefined();
});

test('a replica that waits for the lease is ready', () => {
  expect(notReady(undefined, standby)).toBeUndefined();
  expect(notReady(followed(forbidden), standby)).toBeUndefined();
});

test.each([working, standby])('without the CRD nobody is, and what mends it is said', (how) => {
  expect(notReady(followed(unserved), how)).toBe(crdMissing);
  expect(crdMissing).toContain('the CRD tenants.landlord.dev is not installed');
  expect(crdMissing).toContain('kubectl apply -f crds/landlord.dev_tenants.yaml');
});

test.each([working, standby])(
  'nor where the Tenants of a namespace were followed and are not any more',
  (how) => {
    const message = 'Tenants in namespace team-a can not be followed: tenants is forbidden';
    expect(notReady(followed(lost), how)).toBe(message);
  },
);

test('a namespace that could not be followed from the start holds up no other; all of them do', () => {
  expect(notReady(followed(forbidden), working)).toBeUndefined();
  expect(notReady(followed(forbidden), { waits: false, controller: controller(false) })).toBe(
    'Tenants are not known yet; Tenants in namespace team-a can not be followed: tenants is forbidden',
  );
});
