import { describe, expect, test } from 'vitest';
import { tenantStatus } from '../../src/api/status.ts';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';

const spec = tenantSpecSchema(tenantBlocks);
const app = { name: 'app', image: 'registry.example/app:1.4' };

describe('what a Tenant does not say', () => {
  test('is: not suspended, deleted with its Tenant but for its data, drift corrected, what destroys asked for', () => {
    expect(spec.parse({})).toEqual({
      suspend: false,
      approval: 'Destructive',
      volumePolicy: 'Retain',
      deletionPolicy: 'Delete',
      driftPolicy: 'Correct',
    });
  });

  test('of a port is TCP, of a health check its interval, retries and start', () => {
    const container = { ...app, ports: [{ containerPort: 80 }], healthCheck: { command: ['/bin/ok'] } };
    expect(spec.parse({ containers: [container] }).containers).toEqual([
      {
        ...app,
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        healthCheck: { command: ['/bin/ok'], intervalSeconds: 10, retries: 3, startPeriodSeconds: 0 },
      },
    ]);
  });

  test('of a status is that it speaks of no generation', () => {
    expect(tenantStatus.parse({})).toEqual({ observedGeneration: -1 });
  });
});

describe('a health check', () => {
  const timing = (timeoutSeconds: number, intervalSeconds?: number) =>
    spec.safeParse({
      containers: [
        {
          ...app,
          healthCheck: { command: ['x'], timeoutSeconds, ...(intervalSeconds && { intervalSeconds }) },
        },
      ],
    }).success;

  test('may take as long as its interval, and no longer', () => {
    expect([timing(5, 5), timing(6, 5), timing(10), timing(11)]).toEqual([true, false, true, false]);
  });
});
