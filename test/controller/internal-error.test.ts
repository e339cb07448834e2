import { describe, expect, test } from 'vitest';
import { internalError } from '../../src/compute/errors.ts';
import { KubeApiError, KubeUnreachableError } from '../../src/kube/client/kube-api-error.ts';
import { startController } from './controller-fixture.ts';
import { scriptedProvider } from './scripted-provider.ts';
import type { Operation } from './scripted-provider.ts';
import { image, key } from './tenant-fixture.ts';

const defect = new TypeError("Cannot read properties of undefined (reading 'hunter2')");

/** A Ready tenant whose next generation runs into a defect of this operation. */
async function withDefect(operation: Operation) {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  await fixture.create('acme', image('a'));
  fixture.news();
  docker.failures.set(operation, defect);
  await fixture.patch('acme', { spec: image('b') });
  return { docker, fixture };
}

describe('a defect of a provider', () => {
  test.each(['desired', 'validate', 'getStatus', 'update'] as const)(
    'in %s leaves no tenant Ready at an old generation',
    async (operation) => {
      const { docker, fixture } = await withDefect(operation);
      const { status } = await fixture.get('acme');
      expect(status?.observedGeneration).toBe(2);
      expect(await fixture.conditions('acme')).toEqual([
        'Ready=Unknown/InternalError',
        'Reconciling=True/InternalError',
      ]);
      expect(fixture.news()).toEqual(['Warning InternalError']);
      docker.failures.clear();
      await fixture.pass(1000);
      expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
      expect(fixture.news()).toEqual(['Normal Updated']);
    },
  );

  test('is in the log with its words and its stack, and in the status with neither', async () => {
    const { fixture } = await withDefect('getStatus');
    const errors = fixture.lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ fields }) => fields)).toEqual([{ err: defect, tenant: 'team-a/acme' }]);
    const text = JSON.stringify([(await fixture.get('acme')).status, fixture.events]);
    expect(text).toContain('TypeError');
    expect(text).not.toMatch(/hunter2|\.ts:/);
  });

  test('backs off', async () => {
    const { docker, fixture } = await withDefect('desired');
    const passes = fixture.passes.length;
    await fixture.pass(60_000);
    expect(fixture.passes.length - passes).toBeLessThan(9);
    expect(docker.workloads.get(key)?.specHash).toBe('image=a');
  });

  test('does not make what never ran count as applied', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    docker.failures.set('getStatus', defect);
    await fixture.create('acme', { ...image('a'), driftPolicy: 'Report' });
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=Unknown/InternalError');
    docker.failures.clear();
    await fixture.pass(1000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('in a deletion is told, and the deletion goes on once it is mended', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    docker.failures.set('destroy', defect);
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/InternalError',
      'Reconciling=True/InternalError',
    ]);
    expect((await fixture.get('acme')).status?.phase).toBe('Deleting');
    docker.failures.clear();
    await fixture.pass(1000);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
  });

  test('in the looks at a suspended tenant is told, too', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    docker.failures.set('getStatus', defect);
    await fixture.patch('acme', { spec: { suspend: true } });
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=Unknown/InternalError');
  });
});

test('a write that the apiserver refuses is told in its words', async () => {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  fixture.apiserver.intercept = ({ user, method, path }) => {
    if (user === 'operator' && method === 'PATCH' && !path.endsWith('/status'))
      throw new KubeApiError('PATCH tenants/acme', 403, { message: 'a webhook said no' });
  };
  await fixture.create('acme', image('a'));
  expect((await fixture.conditions('acme'))[0]).toBe('Ready=Unknown/InternalError');
  expect(await fixture.message('acme')).toContain('403 a webhook said no');
  expect(docker.workloads.size).toBe(0);
});

test('a defect that a provider tells itself is in the log, too', async () => {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  await fixture.create('acme', image('a'));
  docker.failures.set('getStatus', internalError('TypeError', defect));
  docker.hint('team-a-acme-9201d5e7');
  await fixture.pass();
  expect((await fixture.conditions('acme'))[0]).toBe('Ready=Unknown/InternalError');
  expect(fixture.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields['err'])).toEqual([
    defect,
  ]);
});

describe('an apiserver that leaves the same question without an answer', () => {
  const spec = {
    ...image('b'),
    containers: [
      {
        name: 'app',
        image: 'app:1',
        env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }],
      },
    ],
  };
  const errors = [
    new KubeApiError('GET secrets/db', 500, { reason: 'InternalError' }),
    new KubeApiError('GET secrets/db', 429, { reason: 'TooManyRequests' }),
    new KubeUnreachableError('the connection broke'),
  ];

  async function withoutSecrets(error: Error) {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.putSecret('db', { password: 'one' });
    await fixture.create('acme', image('a'));
    fixture.apiserver.intercept = ({ method, path }) => {
      if (method === 'GET' && path.includes('/secrets/')) throw error;
    };
    await fixture.patch('acme', { spec });
    return fixture;
  }

  test.each(errors)('for a minute leaves no tenant Ready at an old generation (%s)', async (error) => {
    const fixture = await withoutSecrets(error);
    await fixture.pass(59_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    await fixture.pass(2_000);
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=Unknown/InternalError',
      'Reconciling=True/InternalError',
    ]);
    expect((await fixture.get('acme')).status?.observedGeneration).toBe(2);
  });

  test('now and then is left alone, and what it left unsaid is done once it answers', async () => {
    const fixture = await withoutSecrets(errors[0] as Error);
    await fixture.pass(40_000);
    fixture.apiserver.intercept = () => undefined;
    await fixture.pass(20_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect((await fixture.get('acme')).status?.observedGeneration).toBe(2);
    fixture.apiserver.intercept = ({ method, path }) => {
      if (method === 'GET' && path.includes('/secrets/')) throw errors[0] as Error;
    };
    await fixture.patch('acme', { spec: { ...spec, ...image('c') } });
    await fixture.pass(50_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });
});
