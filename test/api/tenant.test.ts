import { describe, expect, test } from 'vitest';
import { tenantStatus } from '../../src/api/status.ts';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';

const spec = tenantSpecSchema(tenantBlocks);
const app = { name: 'app', image: 'registry.example/app:1.4' };

describe('what a Tenant does not say', () => {
  test('is: managed, not suspended, deleted with its Tenant but for its data, drift corrected, what destroys asked for', () => {
    expect(spec.parse({})).toEqual({
      mode: 'Manage',
      adopt: false,
      suspend: false,
      approval: 'Destructive',
      volumePolicy: 'Retain',
      deletionPolicy: 'Delete',
      driftPolicy: 'Correct',
      unhealthyPolicy: 'Report',
      imagePullPolicy: 'IfNotPresent',
    });
  });

  test('of a port is TCP; a health check has none, which others would see as drift', () => {
    const container = { ...app, ports: [{ containerPort: 80 }], healthCheck: { command: ['/bin/ok'] } };
    expect(spec.parse({ containers: [container] }).containers).toEqual([
      {
        ...app,
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        healthCheck: { command: ['/bin/ok'] },
      },
    ]);
  });

  test('of a status is that it speaks of no generation', () => {
    expect(tenantStatus.parse({})).toEqual({ observedGeneration: -1 });
  });
});

test('containers that wait for each other in a circle are refused, which the CRD can not do', () => {
  const waiting = (...waits: readonly string[]) =>
    spec
      .safeParse({
        containers: waits.map((wait) => {
          const [name = '', ...on] = wait.split(' ');
          return { ...app, name, dependsOn: on.map((container) => ({ container })) };
        }),
      })
      .error?.issues.map(({ message, path }) => `${path.join('.')}: ${message}`);
  expect(waiting('a b', 'b c', 'c d', 'd b')).toEqual([
    'containers: dependsOn must not go round in a circle',
  ]);
  expect(waiting('a b c', 'b d', 'c d', 'd')).toBeUndefined();
});
