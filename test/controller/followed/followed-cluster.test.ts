import { expect, onTestFinished, test, vi } from 'vitest';
import { apiVersion, kind } from '../../../src/api/names.ts';
import type { Tenant } from '../../../src/api/tenant.ts';
import { followCluster } from '../../../src/controller/followed/followed-cluster.ts';
import type { FollowedClusterOptions } from '../../../src/controller/followed/followed-cluster.ts';
import { tenantsResource } from '../../../src/controller/kube-resources.ts';
import type { SourceKind } from '../../../src/controller/sources/source.ts';
import { resource } from '../../../src/kube/client/resource.ts';
import { recordingLogger } from '../../kube/recording-logger.ts';
import { namespace, startController } from '../controller-fixture.ts';
import { createMemoryApiserver } from '../memory-apiserver.ts';
import type { MemoryApiserver } from '../memory-apiserver.ts';
import { scriptedProvider } from '../scripted-provider.ts';

const settled = () => vi.advanceTimersByTimeAsync(0);

/** The cluster as a replica follows it that does not lead; it ends with the test. */
function follow(apiserver: MemoryApiserver, options: Partial<FollowedClusterOptions> = {}) {
  if (!vi.isFakeTimers()) {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
  }
  const { logger, lines } = recordingLogger();
  const client = apiserver.clientOf('operator');
  const cluster = followCluster({ client, namespaces: [], tenantSelector: '', logger, ...options });
  const ending = new AbortController();
  const ended = cluster.run(ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await ended;
  });
  const reads = (collection: string) =>
    apiserver.requests.filter(
      ({ user, method, path }) =>
        user === 'operator' && ['GET', 'WATCH'].includes(method) && path.endsWith(collection),
    ).length;
  return { cluster, reads, lines };
}

const create = (apiserver: MemoryApiserver, name: string, spec: object = {}) =>
  resource<Tenant>(apiserver.clientOf('user'), tenantsResource).create({
    apiVersion,
    kind,
    metadata: { name, namespace },
    spec,
  });

test('a controller that takes over what is followed reads nothing anew, and looks at what is well behind what is new', async () => {
  const first = await startController([scriptedProvider('docker')]);
  for (const name of ['a', 'b']) await first.create(name);
  await first.stop();
  const { apiserver } = first;
  const { cluster, reads } = follow(apiserver);
  await settled();
  const before = reads('/tenants');
  const starts: string[] = [];
  const second = await startController([scriptedProvider('docker')], {
    apiserver,
    cluster,
    metrics: { queue: { onStart: ({ key, urgency }) => starts.push(`${urgency} ${key}`) } },
  });
  expect(starts).toEqual(['sweep team-a/a', 'sweep team-a/b']);
  await second.create('c');
  expect(starts[2]).toBe('change team-a/c');
  expect(await second.conditions('c')).toEqual(['Ready=True/Running']);
  await second.stop();
  expect(reads('/tenants')).toBe(before);
});

test('what comes before the first state is whole is none that is new', async () => {
  const apiserver = createMemoryApiserver();
  await create(apiserver, 'a');
  const { cluster } = follow(apiserver);
  const told: string[] = [];
  cluster.tell({
    onTenant: ({ type, object }) =>
      told.push(`${cluster.hasTold() ? 'new' : 'known'} ${type} ${object.metadata.name}`),
    onSource: () => undefined,
    onSourcesKnown: () => undefined,
  });
  await settled();
  await create(apiserver, 'b');
  await settled();
  expect(told).toEqual(['known added a', 'new added b']);
});

test('a listener that fails at one Tenant hears of the others', async () => {
  const apiserver = createMemoryApiserver();
  for (const name of ['a', 'b']) await create(apiserver, name);
  const { cluster, lines } = follow(apiserver);
  await settled();
  const told: string[] = [];
  cluster.tell({
    onTenant({ object }) {
      if (object.metadata.name === 'a') throw new Error('no');
      told.push(object.metadata.name);
    },
    onSource: () => undefined,
    onSourcesKnown: () => undefined,
  });
  expect(told).toEqual(['b']);
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
});

const fromSecret = { name: 'P', valueFrom: { secretKeyRef: { name: 'db', key: 'p' } } };
const fromConfigMap = { name: 'P', valueFrom: { configMapKeyRef: { name: 'db', key: 'p' } } };
const withContainer = (container: object) => ({ containers: [{ name: 'app', ...container }] });
const both = ['Secret', 'ConfigMap'] as const;
test.each<[what: string, spec: object, foreseen: readonly SourceKind[], watches: Record<SourceKind, number>]>(
  [
    ['a Secret in its environment', withContainer({ env: [fromSecret] }), both, { Secret: 1, ConfigMap: 0 }],
    [
      'a Secret of many variables',
      withContainer({ envFrom: [{ secretRef: { name: 'db' } }] }),
      both,
      { Secret: 1, ConfigMap: 0 },
    ],
    [
      'a Secret for its images',
      { imagePullSecrets: [{ name: 'regcred' }] },
      both,
      { Secret: 1, ConfigMap: 0 },
    ],
    [
      'a Secret of files',
      { volumes: [{ name: 'v', secret: { secretName: 'db' } }] },
      both,
      { Secret: 1, ConfigMap: 0 },
    ],
    [
      'a ConfigMap of files',
      { volumes: [{ name: 'v', configMap: { name: 'db' } }] },
      both,
      { Secret: 0, ConfigMap: 1 },
    ],
    ['a ConfigMap', withContainer({ env: [fromConfigMap] }), both, { Secret: 0, ConfigMap: 1 }],
    [
      'a ConfigMap of many variables',
      withContainer({ envFrom: [{ configMapRef: { name: 'db' } }] }),
      both,
      { Secret: 0, ConfigMap: 1 },
    ],
    ['both', withContainer({ env: [fromSecret, fromConfigMap] }), both, { Secret: 1, ConfigMap: 1 }],
    [
      'none, and says so much',
      withContainer({ env: [{ name: 'P', value: '"secretKeyRef":' }] }),
      both,
      { Secret: 0, ConfigMap: 0 },
    ],
    [
      'none in a spec that is no good',
      { containers: 'none', imagePullSecrets: 7 },
      both,
      { Secret: 0, ConfigMap: 0 },
    ],
    [
      'both, where no provider has use for Secrets',
      withContainer({ env: [fromSecret, fromConfigMap] }),
      ['ConfigMap'],
      { Secret: 0, ConfigMap: 1 },
    ],
  ],
)('are followed before anybody asks, where a Tenant names %s', async (_what, spec, foreseen, watches) => {
  const apiserver = createMemoryApiserver();
  await create(apiserver, 'acme', spec);
  const { reads } = follow(apiserver, { foreseen });
  await settled();
  expect({ Secret: reads('/secrets'), ConfigMap: reads('/configmaps') }).toEqual(watches);
});
