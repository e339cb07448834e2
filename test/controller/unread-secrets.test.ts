import { describe, expect, test } from 'vitest';
import { apiVersion, kind } from '../../src/api/names.ts';
import { namespace } from './controller-fixture.ts';
import { operator } from './docker-operator.ts';

/**
 * Which Secrets the operator reads, request by request: the real controller over the real provider for Docker, each Tenant
 * with a Secret of its own.
 */

type Operator = Awaited<ReturnType<typeof operator>>;

const specOf = (secret: string, more: Record<string, unknown> = {}) => ({
  containers: [
    {
      name: 'app',
      image: 'app:1',
      env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: secret, key: 'password' } } }],
    },
  ],
  ...more,
});

const tenant = (name: string, spec: unknown) => ({ apiVersion, kind, metadata: { name, namespace }, spec });

async function fleet(count: number, more: Record<string, unknown> = {}): Promise<Operator> {
  const one = await operator();
  for (let index = 0; index < count; index += 1) {
    await one.putSecret(`db-${index}`, { password: `hush-${index}` });
    await one.tenants.create(tenant(`t${index}`, specOf(`db-${index}`, more)));
  }
  await one.pass(600_000);
  expect(await one.conditions(`t${count - 1}`)).toEqual(['Ready=True/Running']);
  return one;
}

/** Names of the Secrets that were read, since there were `before` requests. */
function readsSince({ apiserver }: Operator, before: number): string[] {
  return apiserver.requests
    .slice(before)
    .filter(({ user, method, path }) => user === 'operator' && method === 'GET' && path.includes('/secrets/'))
    .map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
}

/** An operator that comes after `one`, with the Secrets that it has read and what it has written by the time that all is known. */
async function restarted(one: Operator, meanwhile: () => Promise<unknown> = async () => undefined) {
  await one.stop();
  await meanwhile();
  const before = one.apiserver.requests.length;
  const next = await operator(one.memory, { apiserver: one.apiserver });
  await next.pass(60_000);
  return { next, reads: readsSince(next, before), writes: next.writes() };
}

/** What runs for a Tenant has of its Secret. */
function passwordsOf({ memory }: Operator, name: string): (string | undefined)[] {
  return [...memory.containers.values()]
    .filter((container) => container.name.includes(`-${name}`) && container.state === 'running')
    .flatMap(({ body }) => body.Env ?? [])
    .filter((line) => line.startsWith('PASSWORD='));
}

describe('after a restart', () => {
  test.each([20, 40])(
    'over %i settled Tenants that each have a Secret, none of them is read, and nothing is written',
    async (count) => {
      const one = await fleet(count);
      const { next, reads, writes } = await restarted(one);
      expect(new Set(next.passes).size).toBe(count);
      expect([reads, writes]).toEqual([[], []]);
      expect(await next.conditions(`t${count - 1}`)).toEqual(['Ready=True/Running']);
    },
  );

  test('a Secret that has changed meanwhile is read alone, and its Tenant rolled', async () => {
    const one = await fleet(4);
    const { next, reads } = await restarted(one, () =>
      one.secrets.mergePatch('db-2', namespace, { data: { password: btoa('other') } }),
    );
    expect(new Set(reads)).toEqual(new Set(['db-2']));
    expect(passwordsOf(next, 't2')).toEqual(['PASSWORD=other']);
    expect(passwordsOf(next, 't1')).toEqual(['PASSWORD=hush-1']);
    expect(await next.conditions('t2')).toEqual(['Ready=True/Running']);
    // What it came to is remembered in turn.
    expect((await restarted(next)).reads).toEqual([]);
  });

  test('one that was touched and holds the same is read, and that is worth no write', async () => {
    const one = await fleet(2);
    const { reads, writes } = await restarted(one, () =>
      one.secrets.mergePatch('db-1', namespace, { metadata: { annotations: { touched: 'yes' } } }),
    );
    expect([new Set(reads), writes]).toEqual([new Set(['db-1']), []]);
  });

  test('what is gone is made anew with the value, for which its Secret alone is read', async () => {
    const one = await fleet(3);
    const { next, reads } = await restarted(one, async () => {
      for (const [id, { name }] of one.memory.containers)
        if (name.includes('-t1')) one.memory.containers.delete(id);
    });
    expect(new Set(reads)).toEqual(new Set(['db-1']));
    expect(passwordsOf(next, 't1')).toEqual(['PASSWORD=hush-1']);
    expect(await next.conditions('t1')).toEqual(['Ready=True/Running']);
  });

  test('another spec reads what it names', async () => {
    const one = await fleet(2);
    await one.putSecret('other', { password: 'theirs' });
    const { next, reads } = await restarted(one, () =>
      one.tenants.mergePatch('t0', namespace, { spec: specOf('other') }),
    );
    expect(new Set(reads)).toEqual(new Set(['other']));
    expect(passwordsOf(next, 't0')).toEqual(['PASSWORD=theirs']);
  });

  test('what runs is kept whole while another spec waits, though nobody had read its Secret before', async () => {
    const one = await operator();
    await one.putSecret('db', { password: 'hush' });
    const specWith = (image: string) => {
      const { containers } = specOf('db');
      const [app] = containers;
      return {
        approval: 'Always',
        containers: [
          { ...app, image },
          { name: 'side', image: 'side:1' },
        ],
      };
    };
    await one.tenants.create(tenant('t', specWith('app:1')));
    await one.pass(600_000);
    const { next, reads } = await restarted(one);
    expect(reads).toEqual([]);
    await next.tenants.mergePatch('t', namespace, { spec: specWith('app:2') });
    await next.pass(60_000);
    expect(await next.conditions('t')).toContain('Ready=False/ApprovalRequired');
    for (const [id, { body }] of next.memory.containers)
      if (body.Image === 'side:1') next.memory.containers.delete(id);
    await next.tenants.mergePatch('t', namespace, { metadata: { annotations: { looked: 'at' } } });
    await next.pass(600_000);
    const running = [...next.memory.containers.values()].map(({ body }) => body.Image);
    expect(new Set(running)).toEqual(new Set(['app:1', 'side:1']));
    expect(passwordsOf(next, 't')).toEqual(['PASSWORD=hush']);
  });

  test('a status without a memory of them has all of them read', async () => {
    const one = await fleet(2);
    const { next, reads, writes } = await restarted(one, () =>
      one.tenants.mergePatch('t0', namespace, { status: { secrets: null } }, { subresource: 'status' }),
    );
    expect([new Set(reads), writes]).toEqual([new Set(['db-0']), []]);
    expect(await next.conditions('t0')).toEqual(['Ready=True/Running']);
  });

  test('a memory that is of something else is not believed: what runs is compared with the value', async () => {
    const one = await fleet(2);
    const { next, reads } = await restarted(one, async () => {
      const { secrets } = (await one.get('t1')).status ?? {};
      await one.tenants.mergePatch('t0', namespace, { status: { secrets } }, { subresource: 'status' });
    });
    expect(new Set(reads)).toEqual(new Set(['db-0']));
    expect(passwordsOf(next, 't0')).toEqual(['PASSWORD=hush-0']);
    expect(next.memory.containers.size).toBe(2);
  });

  test('whoever takes a whole Secret has it read: without it, not even the names are known', async () => {
    const one = await operator();
    await one.putSecret('db', { password: 'hush' });
    await one.create('whole', {
      containers: [{ name: 'app', image: 'app:1', envFrom: [{ secretRef: { name: 'db' } }] }],
    });
    await one.pass(600_000);
    const { next, reads, writes } = await restarted(one);
    expect([new Set(reads), writes]).toEqual([new Set(['db']), []]);
    expect(await next.conditions('whole')).toEqual(['Ready=True/Running']);
  });
});

test('one that a registry alone is asked with is not read after a restart either', async () => {
  const one = await operator();
  const auths = { 'registry.example': { username: 'me', password: 'hush' } };
  await one.secrets.create({
    metadata: { name: 'regcred', namespace },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': btoa(JSON.stringify({ auths })) },
  });
  await one.create('acme', {
    containers: [{ name: 'app', image: 'registry.example/app:1' }],
    imagePullSecrets: [{ name: 'regcred' }],
  });
  await one.pass(600_000);
  const { next, reads, writes } = await restarted(one);
  expect([reads, writes]).toEqual([[], []]);
  expect(await next.conditions('acme')).toEqual(['Ready=True/Running']);
});

test('no value, and nothing by which who does not have the key could try one, stands in what is remembered', async () => {
  const one = await fleet(1);
  const { secrets } = (await one.get('t0')).status ?? {};
  expect(secrets).toEqual({
    versions: [{ name: 'db-0', resourceVersion: expect.stringMatching(/^\d+$/) as string }],
    hashes: [
      {
        container: 'app',
        specHash: expect.stringMatching(/^v2:[0-9a-f]{32}\.[0-9a-f]{8}\.[0-9a-f]{32}$/) as string,
      },
    ],
  });
});
