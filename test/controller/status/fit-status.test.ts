import { expect, test } from 'vitest';
import { statusBounds, tenantStatus } from '../../../src/api/status.ts';
import type { TenantStatus } from '../../../src/api/status.ts';
import { fitDrift, fitStatus } from '../../../src/controller/status/fit-status.ts';
import { running } from '../tenant-fixture.ts';

const at = '2026-01-01T00:00:00Z';
const placement = { provider: 'docker', host: 'x'.repeat(5_000) };
const many = <T>(make: (index: number) => T): T[] => Array.from({ length: 1_000 }, (_, index) => make(index));

function large(text: string): TenantStatus {
  const difference = { path: text, desired: text, actual: text };
  return {
    observedGeneration: 1,
    placement,
    rejected: { specHash: text, reason: 'RolledBack', message: text },
    retained: many((n) => ({ provider: 'docker', resource: `volume ${n}`, since: at, placement })),
    data: many((n) => `volume ${n}`),
    lost: many((n) => ({ provider: 'docker', resource: `volume ${n}`, since: at })),
    plan: {
      digest: 'd',
      target: 't',
      effect: 'outage',
      changes: [{ ...difference, effect: 'outage' }],
    },
    drift: many(() => difference),
    compute: {
      ...running,
      containers: many((n) => ({ name: `c${n}`, state: 'running', ready: true, message: text, image: text })),
      endpoints: many((port) => ({ name: 'web', type: 'tcp', address: '::1', port })),
      resourceIds: Object.fromEntries(many((n) => [`container/c${n}`, 'id'])),
    },
    conditions: [{ type: 'Ready', status: 'True', reason: 'Running', message: text, lastTransitionTime: at }],
  };
}

/** Of what is told to people. */
function longestMessage({ conditions, compute, rejected, plan, drift }: TenantStatus): number {
  const told = [
    ...(conditions ?? []).map(({ message }) => message),
    ...(compute?.containers ?? []).flatMap(({ message = '', image = '' }) => [message, image]),
    ...[...(plan?.changes ?? []), ...(drift ?? [])].flatMap((item) => [item.path, item.desired, item.actual]),
    rejected?.message ?? '',
  ];
  return Math.max(...told.map((text) => Buffer.byteLength(text)));
}

test.each(['x', '☃', '🙂'])('a status that is larger than may be, of %s, is what the CRD takes', (sign) => {
  const fit = fitStatus(large(sign.repeat(5_000)));
  expect(tenantStatus.safeParse(fit).error).toBeUndefined();
  expect(longestMessage(fit)).toBeLessThanOrEqual(statusBounds.message);
  expect(longestMessage(fit)).toBeGreaterThan(statusBounds.message - 8);
});

test('what the operator goes by is whole', () => {
  const status = large('x'.repeat(5_000));
  const fit = fitStatus(status);
  expect(fit.placement).toBe(status.placement);
  expect(fit.rejected?.specHash).toBe(status.rejected?.specHash);
  expect(fit.retained?.[0]).toEqual(status.retained?.[0]);
});

test('of data that is lost, the newest is told', () => {
  expect(fitStatus(large('x')).lost?.at(-1)?.resource).toBe('volume 999');
});

test('what fits is as it was', () => {
  const status: TenantStatus = { observedGeneration: 1, compute: running, conditions: [] };
  expect(fitStatus(status)).toEqual(status);
  expect(fitDrift({ path: 'a', desired: 'b', actual: 'c' })).toEqual({
    path: 'a',
    desired: 'b',
    actual: 'c',
  });
});
