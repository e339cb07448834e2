import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { findCondition } from '../src/api/conditions.ts';
import { apiVersion, kind } from '../src/api/names.ts';
import type { Tenant } from '../src/api/tenant.ts';
import type { Capacity } from '../src/compute/capacity.ts';
import type { Provider, ProviderContext, ProviderDefinition } from '../src/compute/provider.ts';
import { parseConfig } from '../src/config/load-config.ts';
import { tenantsResource } from '../src/controller/kube-resources.ts';
import { untilAborted } from '../src/async/until-aborted.ts';
import type * as sleeping from '../src/async/sleep.ts';
import { KubeApiError } from '../src/kube/client/kube-api-error.ts';
import type { KubeObject } from '../src/kube/client/kube-object.ts';
import { resource } from '../src/kube/client/resource.ts';
import { runOperator } from '../src/operator.ts';
import { createMemoryApiserver } from './controller/memory-apiserver.ts';
import { block, scriptedProvider } from './controller/scripted-provider.ts';
import type { ScriptedProvider } from './controller/scripted-provider.ts';
import { serveApiserver } from './controller/serve-apiserver.ts';
import { recordingLogger } from './kube/recording-logger.ts';
import { kubeConfigFor } from './kube/scripted-server.ts';

interface Loaded {
  readonly provider: ScriptedProvider;
  readonly options: { readonly block: unknown; readonly policy: unknown };
  readonly context: ProviderContext;
}

const registry = vi.hoisted(() => ({
  providerDefinitions: [] as ProviderDefinition[],
  tenantBlocks: {} as Record<string, unknown>,
}));
vi.mock('../src/compute/registry.ts', () => registry);
/** What is waited for between two tries passes a hundred times as fast; what only bounds a wait (`ref: false`) does not. */
vi.mock('../src/async/sleep.ts', async (original) => {
  const { sleep } = await original<typeof sleeping>();
  const hurried: typeof sleep = (ms, signal, options) =>
    sleep(options?.ref === false ? ms : ms / 100, signal, options);
  return { sleep: hurried };
});

const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true };
const elected = {
  leader_election: {
    enabled: true,
    namespace: 'landlord',
    lease_duration: '90s',
    renew_deadline: '60s',
    retry_period: '2s',
  },
};

let capacity: readonly Capacity[] = [];
let collectImages: Provider['collectImages'];

/** Two known providers; which of them were loaded, and with what. */
function knownProviders(): Map<string, Loaded> {
  const loaded = new Map<string, Loaded>();
  registry.providerDefinitions = ['docker', 'ecs'].map((name) => {
    const provider = scriptedProvider(name);
    registry.tenantBlocks[name] = block;
    return {
      ...provider.enabled.definition,
      load: async () => (options, context) => {
        loaded.set(name, { provider, options, context });
        return Object.assign(provider.enabled.provider, { capacity: () => capacity, collectImages });
      },
    } satisfies ProviderDefinition;
  });
  return loaded;
}

/** A whole operator against an apiserver in memory over HTTP; stopped when the test ends. */
async function startOperator(parts: Record<string, unknown> = {}) {
  const loaded = knownProviders();
  const apiserver = createMemoryApiserver();
  const user = apiserver.clientOf('user');
  const namespaces = resource<KubeObject>(user, {
    group: '',
    version: 'v1',
    plural: 'namespaces',
    namespaced: false,
  });
  const text = stringify({ compute: { docker: {} }, server: { address: '127.0.0.1:0' }, ...parts });
  const config = parseConfig(text, 'test.yaml', {
    providers: registry.providerDefinitions,
    environment: {},
  });
  const { logger, lines } = recordingLogger();
  const url = await serveApiserver(apiserver);
  const stop = new AbortController();
  const start = () => {
    const ended = runOperator({ config, kubeConfig: kubeConfigFor(url), logger }, stop.signal);
    ended.catch(() => undefined);
    onTestFinished(async () => {
      stop.abort();
      await ended.catch(() => undefined);
    });
    return ended;
  };
  const portOf = async (): Promise<number> => {
    const line = await vi.waitFor(
      () => {
        const found = lines.find(({ message }) => message === 'Landlord starts');
        if (found === undefined) throw new Error('it has not started');
        return found;
      },
      { timeout: 30_000 },
    );
    return line.fields['port'] as number;
  };
  return {
    apiserver,
    loaded,
    lines,
    stop,
    start,
    tenants: resource<Tenant>(user, tenantsResource),
    leases: resource<KubeObject & { spec: Record<string, unknown> }>(user, leases),
    namespaces,
    createCluster: () => namespaces.create({ metadata: { name: 'kube-system' } }),
    async get(path: string) {
      const response = await fetch(`http://127.0.0.1:${await portOf()}${path}`);
      return `${response.status} ${(await response.text()).trim()}`;
    },
  };
}

const until = (holds: () => Promise<boolean> | boolean): Promise<void> =>
  vi.waitFor(async () => expect(await holds()).toBe(true), { timeout: 30_000, interval: 5 });

describe('the operator', { timeout: 60_000 }, () => {
  test('reconciles with the providers and the policy of its config, is ready once it knows the Tenants, and counts them', async () => {
    capacity = [{ domain: '', of: 'networks', free: 3, total: 256, warning: 'few networks are left' }];
    onTestFinished(() => void (capacity = []));
    const operator = await startOperator({ policy: { allow_retain: false } });
    await operator.createCluster();
    const ended = operator.start();
    for (const [name, spec] of [
      ['acme', { computeProvider: 'docker' }],
      ['clinging', { computeProvider: 'docker', deletionPolicy: 'Retain' }],
      ['moved', { computeProvider: 'ecs' }],
    ] as const)
      await operator.tenants.create({ apiVersion, kind, metadata: { name, namespace: 'team-a' }, spec });
    const reasonOf = async (name: string) =>
      findCondition((await operator.tenants.get(name, 'team-a'))?.status?.conditions, 'Ready')?.reason;
    await until(async () => (await reasonOf('acme')) === 'Running');
    await until(async () => (await reasonOf('moved')) === 'ProviderNotFound');
    await until(async () => (await reasonOf('clinging')) === 'PolicyDenied');
    await until(async () => (await operator.get('/readyz')) === '200 ok');
    const metrics = await operator.get('/metrics');
    expect(metrics).toContain('landlord_tenants{provider="docker",reason="Running"} 1');
    expect(metrics).toContain('landlord_tenants{provider="",reason="ProviderNotFound"} 1');
    expect(metrics).toContain('landlord_leader 1');
    expect(metrics).toContain('landlord_docker_networks_free{engine=""} 3');
    expect(await operator.get('/readyz?verbose')).toBe('200 docker: few networks are left\nok');
    expect(metrics).toMatch(
      /landlord_kube_request_duration_seconds_count\{method="PATCH",resource="tenants\/status"/,
    );
    expect(metrics).toMatch(
      /landlord_provider_duration_seconds_count\{provider="docker",operation="provision"/,
    );
    operator.stop.abort();
    expect(await ended).toBe('stopped');
    expect(operator.loaded.get('docker')?.provider.closed).toBe(true);
    await expect(operator.get('/healthz')).rejects.toThrow('fetch failed');
  });

  test('has images removed that nobody needs, as often as it sweeps, and counts them', async () => {
    const kept = { others: 1, used: 2, wanted: 0, rollback: 0, grace: 0, due: 0 };
    collectImages = async () => ({ domain: '', kept, removed: 1, bytes: 500 });
    onTestFinished(() => void (collectImages = undefined));
    const operator = await startOperator({ controller: { resync_interval: '50ms' } });
    await operator.createCluster();
    void operator.start();
    await until(async () => {
      const metrics = await operator.get('/metrics');
      return /landlord_docker_images_removed_total\{engine=""\} [2-9]/.test(metrics);
    });
    expect(await operator.get('/metrics')).toContain('landlord_docker_images_kept{engine="",why="used"} 2');
  });

  test('knows the labels of namespaces before it looks at a Tenant, and follows them', async () => {
    const entry = { selector: 'team=a', allow_retain: true };
    const operator = await startOperator({ policy: { allow_retain: false, namespaces: [entry] } });
    await operator.createCluster();
    await operator.namespaces.create({ metadata: { name: 'mine', labels: { team: 'a' } } });
    const spec = { computeProvider: 'docker', deletionPolicy: 'Retain' };
    await operator.tenants.create({ apiVersion, kind, metadata: { name: 'acme', namespace: 'mine' }, spec });
    const answered = Promise.withResolvers<void>();
    const asked = (path: string) =>
      operator.apiserver.requests.some((one) => one.method === 'WATCH' && one.path.endsWith(path));
    operator.apiserver.intercept = ({ method, path }) =>
      method === 'WATCH' && path === '/api/v1/namespaces' ? answered.promise : undefined;
    void operator.start();
    await until(() => asked('/api/v1/namespaces'));
    // Long enough for it to know the Tenants and to write to one.
    for (let turn = 0; turn < 30; turn += 1)
      expect(await operator.get('/readyz')).toBe('503 Tenants are not known yet');
    expect(operator.apiserver.requests.filter(({ method }) => method === 'PATCH')).toEqual([]);
    answered.resolve();
    const reasonIs = (reason: string) => async () =>
      findCondition((await operator.tenants.get('acme', 'mine'))?.status?.conditions, 'Ready')?.reason ===
      reason;
    await until(reasonIs('Running'));
    expect(JSON.stringify(operator.apiserver.requests)).not.toContain('AccessDenied');
    await operator.namespaces.mergePatch('mine', undefined, { metadata: { labels: { team: 'b' } } });
    await until(reasonIs('PolicyDenied'));
  });

  test('works in the namespaces that it may read, and says of the others why not', async () => {
    const operator = await startOperator({ controller: { namespaces: ['gone', 'mine'] } });
    await operator.createCluster();
    const spec = { computeProvider: 'docker' };
    await operator.tenants.create({ apiVersion, kind, metadata: { name: 'acme', namespace: 'mine' }, spec });
    operator.apiserver.intercept = ({ path }) => {
      if (path.endsWith('/namespaces/gone/tenants'))
        throw new KubeApiError('tenants', 403, { reason: 'Forbidden', message: 'tenants is forbidden' });
    };
    void operator.start();
    await until(async () => {
      const acme = await operator.tenants.get('acme', 'mine');
      return findCondition(acme?.status?.conditions, 'Ready')?.status === 'True';
    });
    expect(await operator.get('/readyz')).toBe('200 ok');
    expect(await operator.get('/readyz?verbose')).toMatch(
      /^200 Tenants in namespace gone can not be followed: GET .*: 403 Forbidden\nok$/,
    );
  });

  test('says which Secrets it may not follow, once a Tenant names one, and that keeps no other namespace', async () => {
    const operator = await startOperator({ controller: { namespaces: ['closed', 'mine'] } });
    await operator.createCluster();
    const secretKeyRef = { name: 'db', key: 'password' };
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef } }];
    const reader = { computeProvider: 'docker', containers: [{ name: 'app', image: 'a', env }] };
    for (const [namespace, spec] of Object.entries({ closed: reader, mine: { computeProvider: 'docker' } }))
      await operator.tenants.create({ apiVersion, kind, metadata: { name: 'acme', namespace }, spec });
    operator.apiserver.intercept = ({ path }) => {
      if (path.endsWith('/namespaces/closed/secrets'))
        throw new KubeApiError('secrets', 403, { reason: 'Forbidden', message: 'secrets is forbidden' });
    };
    void operator.start();
    const reasonIn = async (namespace: string) =>
      findCondition((await operator.tenants.get('acme', namespace))?.status?.conditions, 'Ready')?.reason;
    await until(
      async () => (await reasonIn('closed')) === 'AccessDenied' && (await reasonIn('mine')) === 'Running',
    );
    expect(await operator.get('/readyz')).toBe('200 ok');
    expect(await operator.get('/readyz?verbose')).toMatch(
      /^200 Secrets in namespace closed can not be followed: GET .*: 403 Forbidden\nok$/,
    );
  });

  test('loads what the config enables and nothing else, and tells it instance, cluster, policy and sweep', async () => {
    const operator = await startOperator({
      instance: 'blue',
      compute: { docker: { image: 'default' } },
      controller: { resync_interval: '90s' },
      policy: { allowed_images: ['registry.example/*'] },
    });
    const { metadata } = await operator.createCluster();
    void operator.start();
    await until(() => operator.loaded.size === 1);
    const docker = operator.loaded.get('docker');
    expect(docker?.options).toEqual({ block: { image: 'default' }, policy: {} });
    expect(docker?.context).toMatchObject({
      instance: 'blue',
      clusterUid: metadata.uid,
      policy: { allowed_images: ['registry.example/*'] },
      sweepIntervalMs: 90_000,
    });
  });

  test('asks for the identity of its cluster until there is an answer, alive but not ready', async () => {
    const operator = await startOperator();
    let refused = 0;
    operator.apiserver.intercept = ({ user, path }) => {
      if (user !== 'landlord' || !path.endsWith('/kube-system') || refused > 0) return;
      refused += 1;
      throw new KubeApiError('kube-system', 403, { reason: 'Forbidden' });
    };
    void operator.start();
    await until(() => operator.apiserver.requests.some(({ path }) => path.endsWith('/kube-system')));
    expect(await operator.get('/healthz')).toBe('200 ok');
    expect(await operator.get('/readyz')).toBe('503 Tenants are not known yet');
    expect(await operator.get('/metrics')).not.toContain('landlord_tenants{');
    await operator.createCluster();
    await until(async () => (await operator.get('/readyz')) === '200 ok');
    expect(operator.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  test('that is told the identity of its cluster asks nobody for it, and needs no right to', async () => {
    const operator = await startOperator({ cluster_id: 'eu-1' });
    void operator.start();
    await until(async () => (await operator.get('/readyz')) === '200 ok');
    expect(operator.loaded.get('docker')?.context).toMatchObject({ clusterUid: 'eu-1' });
    expect(
      operator.apiserver.requests.filter(({ path }) => path.includes('/namespaces/kube-system')),
    ).toEqual([]);
  });

  test('can be stopped while it still asks for the identity of its cluster', async () => {
    const operator = await startOperator();
    const ended = operator.start();
    await until(() => operator.apiserver.requests.some(({ path }) => path.endsWith('/kube-system')));
    operator.stop.abort();
    expect(await ended).toBe('stopped');
    expect(operator.lines.filter(({ level }) => level === 'warn')).toEqual([]);
    await expect(operator.get('/healthz')).rejects.toThrow('fetch failed');
  });
});

describe('an operator with leader election', { timeout: 60_000 }, () => {
  test('takes the lease before it works, and gives it back when it stops', async () => {
    const operator = await startOperator(elected);
    await operator.createCluster();
    const ended = operator.start();
    await until(async () => (await operator.get('/metrics')).includes('landlord_leader 1'));
    const held = await operator.leases.get('landlord', 'landlord');
    expect(held?.spec['holderIdentity']).not.toBe('');
    operator.stop.abort();
    expect(await ended).toBe('stopped');
    expect((await operator.leases.get('landlord', 'landlord'))?.spec['holderIdentity']).toBe('');
  });

  test('that waits for the lease is ready, and does nothing', async () => {
    const operator = await startOperator(elected);
    await operator.createCluster();
    const held = { holderIdentity: 'other', leaseDurationSeconds: 3600, renewTime: new Date().toISOString() };
    await operator.leases.create({ metadata: { name: 'landlord', namespace: 'landlord' }, spec: held });
    void operator.start();
    const asked = () => operator.apiserver.requests.filter(({ path }) => path.includes('/leases/'));
    await until(() => asked().length >= 2);
    expect(await operator.get('/readyz')).toBe('200 ok');
    expect(await operator.get('/metrics')).toContain('landlord_leader 0');
    expect(operator.loaded.size).toBe(0);
  });

  test('that waits for the lease knows the cluster, and works with that once it leads', async () => {
    const entry = { selector: 'team=a', allow_retain: true };
    const policy = { allow_retain: false, namespaces: [entry] };
    const operator = await startOperator({ ...elected, policy });
    await operator.createCluster();
    await operator.namespaces.create({ metadata: { name: 'team-a', labels: { team: 'a' } } });
    const spec = {
      computeProvider: 'docker',
      deletionPolicy: 'Retain',
      imagePullSecrets: [{ name: 'regcred' }],
    };
    await operator.tenants.create({
      apiVersion,
      kind,
      metadata: { name: 'acme', namespace: 'team-a' },
      spec,
    });
    const held = { holderIdentity: 'other', leaseDurationSeconds: 3600, renewTime: new Date().toISOString() };
    await operator.leases.create({ metadata: { name: 'landlord', namespace: 'landlord' }, spec: held });
    void operator.start();
    const reads = () =>
      operator.apiserver.requests
        .filter(
          ({ user, method, path }) =>
            user === 'landlord' && /^(GET|WATCH)$/.test(method) && !path.includes('/leases'),
        )
        .map(({ method, path }) => `${method} ${path}`)
        .toSorted();
    const watches = [
      'WATCH /api/v1/namespaces',
      'WATCH /api/v1/secrets',
      'WATCH /apis/landlord.dev/v1alpha1/tenants',
    ];
    await until(() => reads().length === 3);
    expect(reads()).toEqual(watches);
    expect(await operator.get('/readyz')).toBe('200 ok');
    expect(operator.loaded.size).toBe(0);
    await operator.leases.mergePatch('landlord', 'landlord', { spec: { holderIdentity: '' } });
    const reason = async () =>
      findCondition((await operator.tenants.get('acme', 'team-a'))?.status?.conditions, 'Ready')?.reason;
    await until(async () => (await reason()) === 'SecretNotFound');
    expect(reads().filter((read) => read.startsWith('WATCH'))).toEqual(watches);
    expect(reads().filter((read) => read.startsWith('GET'))).toEqual([
      'GET /api/v1/namespaces/kube-system',
      'GET /api/v1/namespaces/landlord/secrets/landlord-hash-key',
      'GET /api/v1/namespaces/team-a/secrets/regcred',
    ]);
    expect(operator.loaded.get('docker')?.provider.calls.map(({ operation }) => operation)).not.toContain(
      'provision',
    );
  });

  test('that leads is ready only once it knows the Tenants', async () => {
    const operator = await startOperator(elected);
    await operator.createCluster();
    const held = Promise.withResolvers<void>();
    onTestFinished(() => held.resolve());
    operator.apiserver.intercept = ({ path }) => (path.endsWith('/tenants') ? held.promise : undefined);
    void operator.start();
    await until(async () => (await operator.get('/metrics')).includes('landlord_leader 1'));
    expect(await operator.get('/readyz')).toBe('503 Tenants are not known yet');
    held.resolve();
    await until(async () => (await operator.get('/readyz')) === '200 ok');
  });

  test('that leads is not ready before it knows its cluster either', async () => {
    const operator = await startOperator(elected);
    void operator.start();
    await until(() => operator.apiserver.requests.some(({ path }) => path.endsWith('/kube-system')));
    expect(await operator.get('/readyz')).toBe('503 Tenants are not known yet');
    await operator.createCluster();
    await until(async () => (await operator.get('/readyz')) === '200 ok');
  });

  test('whose lease another replica takes ends, and says so', async () => {
    const operator = await startOperator(elected);
    await operator.createCluster();
    const ended = operator.start();
    await until(async () => (await operator.get('/metrics')).includes('landlord_leader 1'));
    const taken = { holderIdentity: 'other', leaseDurationSeconds: 3600 };
    await operator.leases.mergePatch('landlord', 'landlord', { spec: taken });
    expect(await ended).toBe('lost');
  });

  test('whose lease is lost aborts the step that it is at, and writes nothing more', async () => {
    const operator = await startOperator(elected);
    await operator.createCluster();
    const ended = operator.start();
    await until(() => operator.loaded.size === 1);
    const begun = Promise.withResolvers<AbortSignal>();
    const provider = operator.loaded.get('docker')?.provider.enabled.provider;
    if (provider === undefined) throw new Error('docker is not loaded');
    provider.provision = async (_desired, _permit, signal) => {
      begun.resolve(signal);
      await untilAborted(signal);
      return { outcome: 'done', message: 'done all the same' };
    };
    await operator.tenants.create({
      apiVersion,
      kind,
      metadata: { name: 'acme', namespace: 'team-a' },
      spec: { computeProvider: 'docker' },
    });
    const signal = await begun.promise;
    const writes = () =>
      operator.apiserver.requests.filter(({ user, method }) => user !== 'user' && method === 'PATCH').length;
    const before = writes();
    const taken = { holderIdentity: 'other', leaseDurationSeconds: 3600 };
    await operator.leases.mergePatch('landlord', 'landlord', { spec: taken });
    expect(await ended).toBe('lost');
    expect(signal.reason).toEqual(new Error('the lease is lost'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(writes()).toBe(before);
  });

  test('outside of a cluster must be told its namespace', async () => {
    const operator = await startOperator({ leader_election: { enabled: true } });
    await expect(operator.start()).rejects.toThrow(
      'leader_election.namespace: is required outside of a cluster',
    );
  });
});
