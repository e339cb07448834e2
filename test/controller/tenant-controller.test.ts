import { describe, expect, onTestFinished, test } from 'vitest';
import { untilAborted } from '../../src/async/until-aborted.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import { KubeApiError } from '../../src/kube/client/kube-api-error.ts';
import { namespace, startController } from './controller-fixture.ts';
import type { ControllerFixture } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import { image, key, running } from './tenant-fixture.ts';

const unreachable = new ComputeError('ProviderUnavailable', 'the engine does not answer');

describe('a hint', () => {
  test('looks at the tenant it names, and at no other', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    await fixture.create('other', image('a'));
    fixture.passes.length = 0;
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass();
    expect(fixture.passes).toEqual(['team-a/acme']);
    docker.hint('team-a-nobody');
    await fixture.pass();
    expect(fixture.passes).toEqual(['team-a/acme']);
  });

  test('after a gap looks at all tenants of its provider, at those that are leaving it too', async () => {
    const [docker, ecs] = [scriptedProvider('docker'), scriptedProvider('ecs')];
    const fixture = await startController([docker, ecs]);
    await fixture.create('on-docker', { computeProvider: 'docker' });
    await fixture.create('on-ecs', { computeProvider: 'ecs' });
    await fixture.create('leaving', { computeProvider: 'docker' });
    docker.failures.set('destroy', unreachable);
    await fixture.patch('leaving', { spec: { computeProvider: 'ecs' } });
    fixture.passes.length = 0;
    docker.hint();
    await fixture.pass();
    expect(fixture.passes.toSorted()).toEqual(['team-a/leaving', 'team-a/on-docker']);
  });

  test('shows what fell ill, and what is well again', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    const workload = docker.workloads.get(key);
    if (workload === undefined) throw new Error('nothing runs');
    workload.shows = { compute: { ...running, health: 'unhealthy' }, message: 'the check fails' };
    fixture.news();
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass();
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/Unhealthy']);
    expect(await fixture.message('acme')).toBe('the check fails');
    workload.shows = {};
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass();
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(fixture.news()).toContain('Warning Unhealthy');
  });
});

describe('Secrets', () => {
  const spec = {
    containers: [
      {
        name: 'app',
        image: 'a',
        env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }],
      },
    ],
  };

  test('that come later start the tenant that waits for them, at once', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', spec);
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/SecretNotFound',
      'Reconciling=True/SecretNotFound',
    ]);
    await fixture.putSecret('db', { password: 'one' });
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(docker.workloads.get(key)?.specHash).toContain('PASSWORD:one');
  });

  const readsIn = ({ apiserver }: ControllerFixture) =>
    apiserver.requests.filter(
      ({ user, method, path }) => user === 'operator' && method === 'GET' && path.endsWith('/secrets/db'),
    ).length;

  test('that many tenants read are read once after a start, and once after each change', async () => {
    const docker = scriptedProvider('docker');
    const before = await startController([docker]);
    await before.putSecret('db', { password: 'one' });
    for (let index = 0; index < 40; index += 1) await before.create(`reader-${index}`, spec);
    await before.stop();
    const reads = readsIn(before);
    const fixture = await startController([docker], { apiserver: before.apiserver });
    await fixture.pass(1_000);
    expect(new Set(fixture.passes).size).toBe(40);
    expect(readsIn(fixture) - reads).toBe(1);
    await fixture.putSecret('db', { password: 'two' });
    await fixture.pass(1_000);
    expect([...docker.workloads.values()].map(({ specHash }) => specHash)).toEqual(
      Array<string>(40).fill('image= app=a(PASSWORD:two)'),
    );
    expect(readsIn(fixture) - reads).toBe(1 + 1);
  });

  test('that change roll their readers, and nobody else', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.putSecret('db', { password: 'one' });
    await fixture.putSecret('unread', { password: 'one' });
    await fixture.create('acme', spec);
    await fixture.create('other', image('a'));
    fixture.passes.length = 0;
    await fixture.putSecret('unread', { password: 'two' });
    expect(fixture.passes).toEqual([]);
    await fixture.putSecret('db', { password: 'two' });
    expect(new Set(fixture.passes)).toEqual(new Set(['team-a/acme']));
    expect(docker.workloads.get(key)?.specHash).toContain('PASSWORD:two');
  });

  test('are watched by their metadata alone, and only once a tenant reads one', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('other', image('a'));
    const watches = () =>
      fixture.apiserver.requests.filter(
        ({ method, path }) => method === 'WATCH' && path.endsWith('/secrets'),
      );
    expect(watches()).toEqual([]);
    await fixture.putSecret('db', { password: 'one' });
    await fixture.create('acme', spec);
    expect(watches().map(({ accept }) => accept)).toEqual([
      'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
    ]);
  });

  test('that no right is given to watch are AccessDenied at once, in that namespace alone', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker], { namespaces: ['team-a', 'team-b'] });
    await fixture.putSecret('db', { password: 'one' });
    fixture.apiserver.intercept = ({ method, path }) => {
      if (method === 'WATCH' && path.endsWith('/team-b/secrets'))
        throw new KubeApiError('secrets', 403, { reason: 'Forbidden' });
    };
    await fixture.create('acme', spec);
    const [taken] = fixture.apiserver.requests.filter(({ path }) => path.endsWith('/team-a/secrets'));
    expect(taken).toBeDefined();
    expect(await fixture.conditions('acme')).toContain('Ready=True/Running');
  });

  test('that can not be watched are AccessDenied, and say what to grant', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.putSecret('db', { password: 'one' });
    fixture.apiserver.intercept = ({ method, path }) => {
      if (method === 'WATCH' && path.endsWith('/secrets'))
        throw new KubeApiError('secrets', 403, { reason: 'Forbidden' });
    };
    await fixture.create('acme', spec);
    await fixture.pass(1);
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/AccessDenied',
      'Reconciling=True/AccessDenied',
    ]);
    expect(await fixture.message('acme')).toContain('needs get, list and watch on secrets');
    expect(docker.calls.filter(({ operation }) => operation !== 'list')).toEqual([]);
  });
});

describe('ConfigMaps', () => {
  const reading = (name: string) => ({
    containers: [
      {
        name: 'app',
        image: 'a',
        envFrom: [{ configMapRef: { name } }],
        env: [{ name: 'REGION', valueFrom: { configMapKeyRef: { name, key: 'region' } } }],
      },
    ],
  });
  const watches = ({ apiserver }: ControllerFixture, collection: string) =>
    apiserver.requests.filter(({ method, path }) => method === 'WATCH' && path.endsWith(collection)).length;

  test('that come later start the tenant that waits for them, at once', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', reading('app'));
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/InvalidSpec', 'Stalled=True/InvalidSpec']);
    expect(await fixture.message('acme')).toBe('ConfigMap app does not exist in namespace team-a; create it');
    await fixture.putConfigMap('app', { region: 'eu' });
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(docker.workloads.get(key)?.specHash).toContain('region:eu,REGION:eu');
  });

  test.each(['values', 'references'] as const)(
    'that change roll their readers, and nobody else, where Secrets travel as %s',
    async (secrets) => {
      const docker = scriptedProvider('docker', { secrets });
      const fixture = await startController([docker]);
      await fixture.create('other', image('a'));
      expect(watches(fixture, '/configmaps')).toBe(0);
      for (const name of ['app', 'unread']) await fixture.putConfigMap(name, { region: 'eu' });
      await fixture.create('acme', reading('app'));
      fixture.passes.length = 0;
      await fixture.putConfigMap('unread', { region: 'us' });
      // A Secret of that name is another thing.
      await fixture.putSecret('app', { region: 'us' });
      expect(fixture.passes).toEqual([]);
      await fixture.putConfigMap('app', { region: 'us' });
      expect(new Set(fixture.passes)).toEqual(new Set(['team-a/acme']));
      expect(docker.workloads.get(key)?.specHash).toContain('region:us,REGION:us');
      expect([watches(fixture, '/configmaps'), watches(fixture, '/secrets')]).toEqual([1, 0]);
    },
  );

  test('that can not be watched are AccessDenied, and say what to grant', async () => {
    const fixture = await startController([scriptedProvider('docker')]);
    await fixture.putConfigMap('app', { region: 'eu' });
    fixture.apiserver.intercept = ({ method, path }) => {
      if (method === 'WATCH' && path.endsWith('/configmaps'))
        throw new KubeApiError('configmaps', 403, { reason: 'Forbidden' });
    };
    await fixture.create('acme', reading('app'));
    await fixture.pass(1);
    expect(await fixture.conditions('acme')).toContain('Ready=False/AccessDenied');
    expect(await fixture.message('acme')).toContain('ConfigMaps in namespace team-a can not be watched');
    expect(await fixture.message('acme')).toContain('needs get, list and watch on configmaps');
  });
});

describe("what a user writes just before a status of ours, of which our write's answer tells first", () => {
  const requestedAt = 'landlord.dev/reconcile-requested-at';

  /** Does `act` right before the status that says Ready, while the watch is 30 ms behind the answers. */
  async function actBeforeReady(act: (fixture: ControllerFixture) => Promise<unknown>) {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    fixture.apiserver.watchDelayMs = 30;
    let done = false;
    fixture.apiserver.intercept = async ({ user, method, path, body }) => {
      const { status } = (body ?? {}) as { readonly status?: { readonly phase?: string } };
      if (done || user !== 'operator' || method !== 'PATCH' || !path.endsWith('/status')) return;
      if (status?.phase !== 'Ready') return;
      done = true;
      await act(fixture);
    };
    await fixture.create('acme', image('a'));
    await fixture.pass(1_000);
    expect(done).toBe(true);
    return { docker, fixture };
  }

  test('a new spec is applied', async () => {
    const { docker, fixture } = await actBeforeReady(({ tenants }) =>
      tenants.mergePatch('acme', namespace, { spec: image('b') }),
    );
    expect((await fixture.get('acme')).status?.observedGeneration).toBe(2);
    expect(docker.workloads.get(key)?.specHash).toBe('image=b');
  });

  test('a deletion is carried out', async () => {
    const { docker, fixture } = await actBeforeReady(({ tenants }) => tenants.delete('acme', namespace));
    await expect(fixture.get('acme')).rejects.toThrow('there is no Tenant');
    expect(docker.workloads.size).toBe(0);
  });

  test('a requested reconcile is echoed', async () => {
    const { fixture } = await actBeforeReady(({ tenants }) =>
      tenants.mergePatch('acme', namespace, { metadata: { annotations: { [requestedAt]: 'noon' } } }),
    );
    expect((await fixture.get('acme')).status?.lastHandledReconcileAt).toBe('noon');
  });
});

describe('an engine that answers nothing', () => {
  /** One worker for each provider; docker's validate, or destroy, never ends. */
  async function withHanging(operation: 'validate' | 'destroy') {
    const [docker, ecs] = [scriptedProvider('docker'), scriptedProvider('ecs')];
    const fixture = await startController([docker, ecs], { concurrency: 1 });
    const hang = (): void => {
      const held = Promise.withResolvers<void>();
      docker.held.set(operation, held.promise);
      onTestFinished(() => held.resolve());
    };
    return { docker, ecs, fixture, hang };
  }

  test.each<[name: string, spec: Record<string, unknown>, metadata: object]>([
    ['named by the spec', { computeProvider: 'ecs' }, {}],
    ['named by a label', {}, { labels: { compute_provider: 'ecs' } }],
    ['named by an annotation', {}, { annotations: { compute_provider: 'ecs' } }],
    ['named by its block', { computeConfig: { ecs: {} } }, {}],
  ])('delays no tenant of another provider %s', async (_name, spec, metadata) => {
    const { fixture, hang } = await withHanging('validate');
    hang();
    await fixture.create('stuck', { computeProvider: 'docker' });
    await fixture.create('acme', spec, metadata);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('delays no tenant that stays where it is for want of another choice', async () => {
    const { fixture, hang } = await withHanging('validate');
    await fixture.create('acme', {}, { labels: { compute_provider: 'ecs' } });
    await fixture.patch('acme', { metadata: { labels: { compute_provider: null } } });
    hang();
    await fixture.create('stuck', { computeProvider: 'docker' });
    await fixture.patch('acme', { spec: { computeConfig: { docker: {}, ecs: { image: 'b' } } } });
    expect((await fixture.get('acme')).status?.observedGeneration).toBe(2);
  });

  test('delays no deletion on another provider, whatever the spec asks for by now', async () => {
    const { docker, fixture, hang } = await withHanging('destroy');
    await fixture.create('stuck', { computeProvider: 'docker' });
    await fixture.create('acme', { computeProvider: 'ecs' });
    hang();
    await fixture.tenants.delete('stuck', 'team-a');
    await fixture.pass();
    await fixture.tenants.mergePatch('acme', 'team-a', { spec: { computeProvider: 'docker' } });
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
    expect(changesIn(docker.calls).filter((call) => call.startsWith('destroy'))).toHaveLength(1);
  });

  test('delays no Tenant that no provider can be chosen for', async () => {
    const { fixture, hang } = await withHanging('validate');
    hang();
    await fixture.create('stuck', { computeProvider: 'docker' });
    await fixture.create('acme', {});
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=False/ProviderRequired');
  });
});

describe('the controller', () => {
  test('watches the namespaces and labels it was told to, and no others', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker], { namespaces: ['team-a'], tenantSelector: 'tier=gold' });
    await fixture.create('acme', image('a'), { labels: { tier: 'gold' } });
    await fixture.create('other', image('a'), { labels: { tier: 'tin' } });
    const watches = fixture.apiserver.requests.filter(({ method }) => method === 'WATCH');
    expect(watches.map(({ path, query }) => [path, query['labelSelector']])).toEqual([
      ['/apis/landlord.dev/v1alpha1/namespaces/team-a/tenants', 'tier=gold'],
    ]);
    expect([...docker.workloads.keys()]).toEqual([key]);
  });

  test('looks again at the Tenants of a namespace that has other rules now, and at no others', async () => {
    const fixture = await startController([scriptedProvider('docker')]);
    await fixture.create('acme', image('a'));
    await fixture.create('other', image('a'));
    const before = fixture.passes.length;
    fixture.controller.onNamespaces(new Set(['team-b', 'team']));
    await fixture.pass();
    expect(fixture.passes.slice(before)).toEqual([]);
    fixture.controller.onNamespaces(new Set(['team-a']));
    await fixture.pass();
    expect(fixture.passes.slice(before).toSorted()).toEqual(['team-a/acme', 'team-a/other']);
  });

  test('starts afresh a moment after a conflict, without an error in the log', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    let conflicts = 1;
    fixture.apiserver.intercept = ({ user, method }) => {
      if (user !== 'operator' || method !== 'PATCH' || conflicts === 0) return;
      conflicts -= 1;
      throw new KubeApiError('tenants acme', 409, { reason: 'Conflict' });
    };
    await fixture.create('acme', image('a'));
    expect(await fixture.conditions('acme')).toEqual([]);
    await fixture.pass(249);
    expect(changesIn(docker.calls)).toEqual([]);
    await fixture.pass(1);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(fixture.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('starts afresh ever more slowly where each write meets a conflict, and soon again after one that did not', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    const state = { conflicts: true, writes: 0 };
    fixture.apiserver.intercept = ({ user, method }) => {
      if (user !== 'operator' || method !== 'PATCH') return;
      state.writes += 1;
      if (state.conflicts) throw new KubeApiError('tenants acme', 409, { reason: 'Conflict' });
    };
    await fixture.create('acme', image('a'));
    // After 250 ms, 500 ms, … 16 s, and then each 30 s.
    await fixture.pass(600_000);
    expect(state.writes).toBe(1 + 7 + Math.floor((600_000 - 31_750) / 30_000));
    state.conflicts = false;
    await fixture.pass(30_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    state.conflicts = true;
    await fixture.patch('acme', { spec: image('b') });
    const before = state.writes;
    await fixture.pass(250);
    expect(state.writes - before).toBeLessThanOrEqual(2 * 3);
  });

  test('logs a write that fails otherwise, and tries again', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    fixture.apiserver.intercept = ({ user, method }) => {
      if (user === 'operator' && method === 'PATCH') throw new KubeApiError('tenants acme', 403, {});
    };
    await fixture.create('acme', image('a'));
    expect(
      fixture.lines.some(({ level, message }) => level === 'error' && message === 'processing failed'),
    ).toBe(true);
    fixture.apiserver.intercept = () => undefined;
    await fixture.pass(500);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('keeps half of each Tenant out of its memory', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'kept' };
    await fixture.create('acme', image('a'), { annotations, managedFields: [{}] } as object);
    const cached = fixture.controller.tenants.get('team-a', 'acme');
    expect(cached?.metadata.annotations).toEqual({ note: 'kept' });
    expect(cached?.metadata).not.toHaveProperty('managedFields');
    expect(cached?.spec).toEqual(image('a'));
  });

  test('goes on where its watch breaks, and misses nothing', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    fixture.apiserver.intercept = ({ method }) => {
      if (method === 'WATCH') throw new KubeApiError('tenants', 503, {});
    };
    fixture.apiserver.breakWatches(new Error('the connection is lost'));
    await fixture.patch('acme', { spec: image('b') });
    await fixture.create('other', image('a'));
    fixture.apiserver.intercept = () => undefined;
    await fixture.pass(5000);
    expect(docker.workloads.get(key)?.specHash).toBe('image=b');
    expect(await fixture.conditions('other')).toEqual(['Ready=True/Running']);
  });

  test('looks again where somebody else wrote the status', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    await fixture.tenants.mergePatch(
      'acme',
      'team-a',
      { status: { phase: 'Failed' } },
      { subresource: 'status' },
    );
    await fixture.pass();
    expect((await fixture.get('acme')).status?.phase).toBe('Ready');
  });

  test('lets a running pass end when it stops, and begins no other', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    const held = Promise.withResolvers<void>();
    fixture.apiserver.intercept = async ({ user, method }) => {
      if (user === 'operator' && method === 'PATCH') await held.promise;
    };
    await fixture.create('acme', image('a'));
    const stopped = fixture.stop();
    await fixture.tenants.create({ metadata: { name: 'late', namespace: 'team-a' }, spec: image('a') });
    held.resolve();
    await stopped;
    expect([...docker.workloads.keys()]).toEqual([key]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('that is stopped before it knows the Tenants does nothing', async () => {
    const docker = scriptedProvider('docker');
    const first = await startController([docker]);
    first.apiserver.intercept = ({ method }) => {
      if (method === 'WATCH') throw new KubeApiError('tenants', 403, {});
    };
    const second = await startController([docker], { apiserver: first.apiserver });
    expect(second.controller.tenants.hasSynced()).toBe(false);
    await second.stop();
    expect(docker.calls.filter(({ operation }) => operation !== 'list')).toEqual([]);
  });

  test.each(['leads', 'winds up'])(
    'that loses its right to act while it %s aborts its passes at once',
    async (when) => {
      const docker = scriptedProvider('docker');
      const aborted: unknown[] = [];
      const { provider } = docker.enabled;
      provider.update = async (_desired, _permit, signal) => {
        await untilAborted(signal);
        aborted.push(signal.reason);
        throw signal.reason;
      };
      const lost = new AbortController();
      const fixture = await startController([docker], { lost: lost.signal });
      await fixture.create('acme', image('a'));
      await fixture.patch('acme', { spec: image('b') });
      if (when === 'winds up') void fixture.stop();
      await fixture.pass(1000);
      expect(aborted).toEqual([]);
      const reason = new Error('the lease is lost');
      lost.abort(reason);
      await fixture.pass();
      expect(aborted).toEqual([reason]);
    },
  );

  test('is not kept by a pass that hangs, whatever it was told', async () => {
    const docker = scriptedProvider('docker');
    docker.enabled.provider.update = () => new Promise(() => undefined);
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    await fixture.patch('acme', { spec: image('b') });
    await fixture.stop();
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });
});
