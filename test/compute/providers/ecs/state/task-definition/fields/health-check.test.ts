import { describe, expect, test } from 'vitest';
import type { HealthCheck } from '../../../../../../../src/api/container/health-check.ts';
import { desireService } from '../../../../../../../src/compute/providers/ecs/state/desired.ts';
import { healthCheckMs } from '../../../../../../../src/compute/providers/ecs/state/evidence.ts';
import { overlayDefinition } from '../../../../../../../src/compute/providers/ecs/state/task-definition/container-fields.ts';
import { containerSpec, settings, tenantSpec } from '../../../ecs-fixture.ts';

const desire = (...checks: HealthCheck[]) => {
  const containers = checks.map((healthCheck, index) => containerSpec(`c${index}`, { healthCheck }));
  return desireService(tenantSpec({}, { containers }), settings());
};
const base = { name: 'c0', healthCheck: { command: ['CMD', '/of-the-base'] } };
const defined = (check: HealthCheck) => {
  const [container] = desire(check).overlay?.containers ?? [];
  if (container === undefined) throw new Error('no overlay');
  return overlayDefinition(container, base).healthCheck;
};
const hash = (check: HealthCheck) => desire(check).overlay?.hash;

describe('a health check on ECS', () => {
  test('is run by the shell where it is a line for one', () => {
    expect(defined({ shell: 'curl -f localhost || exit 1' })).toEqual({
      command: ['CMD-SHELL', 'curl -f localhost || exit 1'],
      interval: 10,
      timeout: 3,
      retries: 3,
      startPeriod: 0,
    });
  });

  test('that is switched off takes that of the base away, and is waited for by nobody', () => {
    expect(defined({ disable: true, intervalSeconds: 100 })).toBeUndefined();
    expect(healthCheckMs(desire({ disable: true, intervalSeconds: 100 }))).toBe(0);
  });

  test.each<[what: string, check: HealthCheck, note: string]>([
    [
      'too often',
      { shell: 'true', intervalSeconds: 1, timeoutSeconds: 0.5 },
      'intervalSeconds 5 for 1, timeoutSeconds 2 for 0.5',
    ],
    [
      'too seldom',
      { shell: 'true', intervalSeconds: 3600, timeoutSeconds: 90, retries: 100, startPeriodSeconds: 301 },
      'intervalSeconds 300 for 3600, timeoutSeconds 60 for 90, retries 10 for 100, startPeriodSeconds 300 for 301',
    ],
    [
      'in fractions',
      { shell: 'true', intervalSeconds: 7.5, startPeriodSeconds: 0.2 },
      'intervalSeconds 8 for 7.5, startPeriodSeconds 1 for 0.2',
    ],
    ['often at the start', { shell: 'true', startIntervalSeconds: 1 }, 'no startIntervalSeconds'],
  ])('that is asked for %s is told of', (_what, check, note) => {
    expect(desire({ command: ['/ok'] }, check).notes).toEqual([
      `the health check of container c1 has, as ECS takes it, ${note}`,
    ]);
  });

  test('is told of by nothing where ECS takes it as it is', () => {
    const taken = {
      command: ['/ok'],
      intervalSeconds: 5,
      timeoutSeconds: 60,
      retries: 10,
      startPeriodSeconds: 300,
    };
    expect(desire({ command: ['/ok'] }, taken, { disable: true, intervalSeconds: 1 }).notes).toEqual([]);
  });

  test('is waited for as long as it takes there', () => {
    const check = { shell: 'true', intervalSeconds: 86_400, timeoutSeconds: 86_400, retries: 1 };
    expect(healthCheckMs(desire(check))).toBe(2 * (300 + 60) * 1000);
  });

  test('is the same where it says the defaults', () => {
    const said = { command: ['/ok'], intervalSeconds: 10, retries: 3, startPeriodSeconds: 0 };
    expect(hash({ command: ['/ok'] })).toBe(hash(said));
    expect(hash({ disable: true, intervalSeconds: 10 })).toBe(hash({ disable: true }));
    expect(hash({ shell: '/ok' })).not.toBe(hash({ command: ['/ok'] }));
  });
});
