import { describe, expect, it } from 'vitest';
import type { HealthCheck } from '../../../../../../src/api/container/health-check.ts';
import { createBody } from '../../../../../../src/compute/providers/docker/converge/create-body.ts';
import { desiredTenant } from '../../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { containerSpec, settings, tenantSpec } from '../../docker-fixture.ts';

const made = (healthCheck: HealthCheck, policy = {}) => {
  const spec = tenantSpec({}, { containers: [containerSpec('app', { healthCheck })] });
  const [container] = desiredTenant(spec, settings({}, policy)).containers;
  if (container === undefined) throw new Error('no container');
  return container;
};
const sent = (healthCheck: HealthCheck) =>
  createBody(made(healthCheck), { architecture: 'arm64' }).Healthcheck;
const hash = (healthCheck: HealthCheck) => made(healthCheck).labels['landlord.spec_hash'];

describe('a health check', () => {
  it.each<[what: string, check: HealthCheck, Test: string[]]>([
    ['a command', { command: ['/ok', '-v'] }, ['CMD', '/ok', '-v']],
    [
      'a request',
      { httpGet: { port: 80, path: '/ok', httpHeaders: [{ name: 'Host', value: 'a.example' }] } },
      [
        'CMD',
        '/.landlord-probe/arm64',
        '80',
        'GET /ok HTTP/1.1\r\nUser-Agent: landlord-probe\r\nAccept: */*\r\nConnection: close\r\nHost: a.example\r\n\r\n',
      ],
    ],
    ['a connection', { tcpSocket: { port: 5432 } }, ['CMD', '/.landlord-probe/arm64', '5432']],
    [
      'a line for the shell',
      { shell: 'curl -f localhost || exit 1' },
      ['CMD-SHELL', 'curl -f localhost || exit 1'],
    ],
  ])('by %s goes to the engine with figures for all that it does not say', (_what, check, Test) => {
    expect(sent(check)).toEqual({ Test, Interval: 10e9, Timeout: 3e9, Retries: 3, StartPeriod: 0 });
  });

  it('that is switched off says nothing but that, whatever figures are left beside', () => {
    expect(sent({ disable: true })).toEqual({ Test: ['NONE'] });
    expect(sent({ disable: true, intervalSeconds: 5, retries: 3 })).toEqual({ Test: ['NONE'] });
  });

  it('has its fractions in whole milliseconds, which is what the engine takes', () => {
    const check = { shell: 'true', intervalSeconds: 0.5, timeoutSeconds: 0.0011, startPeriodSeconds: 0.0001 };
    expect(sent({ ...check, startIntervalSeconds: 0.3, retries: 2_147_483_647 })).toEqual({
      Test: ['CMD-SHELL', 'true'],
      Interval: 500e6,
      Timeout: 2e6,
      StartPeriod: 1e6,
      StartInterval: 300e6,
      Retries: 2_147_483_647,
    });
  });

  it('takes no longer than its interval by default, and as long as it likes where it says so', () => {
    expect(sent({ shell: 'true', intervalSeconds: 2 })).toMatchObject({ Timeout: 2e9 });
    expect(sent({ shell: 'true', intervalSeconds: 2, timeoutSeconds: 60 })).toMatchObject({ Timeout: 60e9 });
  });

  it('is the same where it says the defaults, which were once those of the CRD', () => {
    const said = { command: ['/ok'], intervalSeconds: 10, retries: 3, startPeriodSeconds: 0 };
    expect(hash({ command: ['/ok'] })).toBe(hash(said));
    expect(hash({ command: ['/ok'], disable: false })).toBe(hash(said));
    expect(hash({ disable: true, intervalSeconds: 10 })).toBe(hash({ disable: true }));
  });

  it('is another one with each thing that it says', () => {
    const all: HealthCheck[] = [
      { command: ['/ok'] },
      { shell: '/ok' },
      { disable: true },
      { shell: '/ok', timeoutSeconds: 3 },
      { shell: '/ok', startIntervalSeconds: 1 },
      { shell: '/ok', intervalSeconds: 0.5 },
      { httpGet: { port: 80 } },
      { httpGet: { port: 80, path: '/ok' } },
      { httpGet: { port: 81 } },
      { tcpSocket: { port: 80 } },
    ];
    expect(new Set(all.map(hash)).size).toBe(all.length);
  });

  it.each(['intervalSeconds', 'startIntervalSeconds'] as const)(
    'may not keep the engine busier than the policy allows: %s',
    (field) => {
      const policy = { min_health_interval: '1s' };
      expect(() => made({ shell: 'true', [field]: 1 }, policy)).not.toThrow();
      expect(() => made({ shell: 'true', [field]: 0.1 })).not.toThrow();
      const message = `policy.docker.min_health_interval: container app: healthCheck.${field} is 0.999, and there must be 1s between two checks. Check less often, or have the operator's admin allow it`;
      expect(() => made({ shell: 'true', [field]: 0.999 }, policy)).toThrow(
        expect.objectContaining({ code: 'PolicyDenied', message }),
      );
      expect(() => made({ shell: 'true', [field]: 0.099 })).toThrow(/ must be 100ms between /);
    },
  );
});
