import { describe, expect, test } from 'vitest';
import type { TenantStatus } from '../../../src/api/status.ts';
import { tenantSpecSchema } from '../../../src/api/tenant.ts';
import { ComputeError } from '../../../src/compute/errors.ts';
import { SecretValue } from '../../../src/compute/spec/secret-value.ts';
import {
  parseTenantSpec,
  referencedSources,
  resolveSpec,
} from '../../../src/controller/steps/resolve-spec.ts';
import type { ConfigMapReader } from '../../../src/controller/sources/config-map-reader.ts';
import type { SecretReader } from '../../../src/controller/sources/secret-reader.ts';
import { block, scriptedProvider } from '../scripted-provider.ts';
import { running, statusOf, tenantWith } from '../tenant-fixture.ts';

const schema = tenantSpecSchema({ docker: block });
const parse = (spec: unknown) => parseTenantSpec(schema, tenantWith(undefined, {}, spec));
const fromConfigMap = (name: string, key: string) => ({ valueFrom: { configMapKeyRef: { name, key } } });
const fromSecret = (name: string, key: string) => ({ valueFrom: { secretKeyRef: { name, key } } });

/** Reads what its name says, and tells what it was asked for. */
function secretReader(): SecretReader & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async value(name, key) {
      asked.push(`${name}/${key}`);
      return new SecretValue(`${name}-${key}`);
    },
    async values(name) {
      asked.push(name);
      return new Map([['KEY', new SecretValue(`${name}-KEY`)]]);
    },
    async files(name) {
      asked.push(name);
      return new Map([['key', new SecretValue(btoa(`${name} file`))]]);
    },
    async registryCredentials(name) {
      asked.push(name);
      return ['a', 'b'].map((registry) => ({
        registry: `${registry}.${name}`,
        username: 'u',
        password: new SecretValue('p'),
      }));
    },
  };
}

const configMapReader: ConfigMapReader = {
  value: async (name, key) => `${name}-${key}`,
  values: async (name) => new Map([['SETTING', `${name}-SETTING`]]),
  files: async (name) => new Map([['setting', btoa(`${name} file`)]]),
};

async function resolve(
  spec: unknown,
  travel: 'values' | 'references' = 'values',
  operatorBlock: Record<string, unknown> = {},
  status?: TenantStatus,
) {
  const secrets = secretReader();
  const { enabled } = scriptedProvider('docker', { secrets: travel });
  const tenant = tenantWith(status);
  const resolved = await resolveSpec({
    tenant,
    tenantId: 'acme',
    spec: parse(spec),
    enabled: { ...enabled, block: operatorBlock },
    secrets,
    configMaps: configMapReader,
  });
  return { resolved, asked: secrets.asked };
}

test.each([
  ['with what its provider told last', 'docker', running],
  ['without what another provider told', 'ecs', undefined],
])('a spec comes %s', async (_what, computeProvider, before) => {
  const status = { ...statusOf('True', 'Running'), computeProvider, compute: running };
  expect((await resolve({}, 'values', {}, status)).resolved.before).toEqual(before);
});

test.each([
  ['with what is asked for by the annotation', { 'landlord.dev/reconcile-requested-at': 'noon' }, 'noon'],
  ['without it where nothing is', {}, undefined],
])('a spec comes %s', async (_what, annotations, requestedAt) => {
  const resolved = await resolveSpec({
    tenant: tenantWith(undefined, { annotations }),
    tenantId: 'acme',
    spec: parse({}),
    enabled: scriptedProvider('docker').enabled,
    secrets: secretReader(),
    configMaps: configMapReader,
  });
  expect(resolved.requestedAt).toBe(requestedAt);
});

describe('a spec', () => {
  test('gets its defaults from the schema, whatever the CRD in the cluster fills in', () => {
    expect(parse({})).toEqual({
      imagePullPolicy: 'IfNotPresent',
      mode: 'Manage',
      adopt: false,
      suspend: false,
      approval: 'Destructive',
      volumePolicy: 'Retain',
      deletionPolicy: 'Delete',
      driftPolicy: 'Correct',
      unhealthyPolicy: 'Report',
    });
  });

  test.each<[name: string, spec: unknown, message: string]>([
    ['that is not there', null, 'spec: must be an object'],
    ['with a key of a newer version', { mounts: [] }, 'spec.mounts: is not a known key'],
  ])('%s is InvalidSpec, naming the path', (_name, spec, message) => {
    expect(() => parse(spec)).toThrow(new ComputeError('InvalidSpec', message));
    expect(() => parse(spec)).toThrow(ComputeError);
  });
});

describe('the Secrets and ConfigMaps that a spec refers to', () => {
  test('are those of its environment and of its images', () => {
    const env = [
      { name: 'A', value: 'a' },
      { name: 'B', ...fromSecret('db', 'user') },
    ];
    const containers = [
      { name: 'app', image: 'a', env },
      { name: 'job', image: 'a', env: [{ name: 'C', ...fromSecret('job', 'key') }] },
      { name: 'web', image: 'a', env: [{ name: 'D', ...fromConfigMap('web', 'key') }] },
      {
        name: 'all',
        image: 'a',
        envFrom: [{ configMapRef: { name: 'all' } }, { secretRef: { name: 'all' } }],
      },
    ];
    const volumes = [
      { name: 'one', secret: { secretName: 'tls' } },
      { name: 'two', configMap: { name: 'files' } },
      { name: 'data', persistent: {} },
    ];
    const spec = parse({ containers, volumes, imagePullSecrets: [{ name: 'regcred' }] });
    expect(referencedSources(spec)).toEqual({
      Secret: ['db', 'job', 'all', 'tls', 'regcred'],
      ConfigMap: ['web', 'all', 'files'],
    });
  });

  test('are none where it names none', () => {
    expect(referencedSources(parse({}))).toEqual({ Secret: [], ConfigMap: [] });
  });
});

describe('what a provider receives', () => {
  const env = [
    { name: 'LEVEL', value: 'info' },
    { name: 'EMPTY' },
    { name: 'PASSWORD', ...fromSecret('db', 'password') },
  ];

  test('names the tenant, and is empty where the spec is', async () => {
    expect((await resolve({})).resolved).toEqual({
      tenantId: 'acme',
      tenant: { namespace: 'team-a', name: 'acme', uid: '5d6f' },
      containers: [],
      resources: {},
      config: {},
      imagePullCredentials: [],
      imagePullSecrets: [],
      unhealthyPolicy: 'Report',
    });
  });

  test("has the tenant's block over the operator's defaults, and nothing of the operator's own", async () => {
    const { resolved } = await resolve({ computeConfig: { docker: { place: 'here' } } }, 'values', {
      image: 'default',
      host: 'tcp://engine',
    });
    expect(resolved.config).toEqual({ image: 'default', place: 'here' });
  });

  test('has the values of Secrets where the provider needs them', async () => {
    const { resolved, asked } = await resolve({ containers: [{ name: 'app', image: 'a', env }] });
    const secretKeyRef = { name: 'db', key: 'password' };
    expect(resolved.containers[0]?.env).toEqual([
      { name: 'LEVEL', value: 'info' },
      { name: 'EMPTY', value: '' },
      { name: 'PASSWORD', secretKeyRef, secret: new SecretValue('db-password') },
    ]);
    const variable = resolved.containers[0]?.env[2];
    expect(variable !== undefined && 'secret' in variable && variable.secret?.reveal()).toBe('db-password');
    expect(asked).toEqual(['db/password']);
  });

  test('has the values of all its sources, and nothing that says whence', async () => {
    const envFrom = [{ configMapRef: { name: 'app' } }, { secretRef: { name: 'db' } }];
    const container = {
      name: 'app',
      image: 'a',
      envFrom,
      env: [{ name: 'A', ...fromConfigMap('app', 'a') }],
    };
    const { resolved } = await resolve({ containers: [container] });
    expect(resolved.containers).toEqual([
      {
        name: 'app',
        image: 'a',
        env: [
          { name: 'SETTING', value: 'app-SETTING' },
          { name: 'KEY', secretKeyRef: { name: 'db', key: 'KEY' }, secret: new SecretValue('db-KEY') },
          { name: 'A', value: 'app-a' },
        ],
        resources: {},
      },
    ]);
  });

  test('has the files of its volumes, and those of Secrets where it needs values', async () => {
    const volumes = [
      { name: 'tls', secret: { secretName: 'tls', defaultMode: 256 } },
      { name: 'settings', configMap: { name: 'app', items: [{ key: 'setting', path: 'a/b', mode: 493 }] } },
      { name: 'data', persistent: {} },
      { name: 'tmp', tmpfs: { size: '1Mi' } },
    ];
    const rest = [
      {
        name: 'settings',
        kind: 'files',
        from: 'ConfigMap app',
        files: [{ path: 'a/b', mode: 0o755, content: btoa('app file') }],
      },
      { name: 'data', kind: 'persistent' },
      { name: 'tmp', kind: 'tmpfs', size: '1Mi' },
    ];
    const tls = { path: 'key', mode: 0o400, content: new SecretValue(btoa('tls file')) };
    const { resolved } = await resolve({ volumes });
    expect(resolved.volumes).toEqual([
      { name: 'tls', kind: 'files', from: 'Secret tls', files: [tls] },
      ...rest,
    ]);
    const referred = await resolve({ volumes }, 'references');
    expect(referred.resolved.volumes).toEqual([
      { name: 'tls', kind: 'files', from: 'Secret tls', files: [] },
      ...rest,
    ]);
    expect(referred.asked).toEqual([]);
  });

  test('has references alone, and no Secret is read, where the provider passes them on', async () => {
    const spec = { containers: [{ name: 'app', image: 'a', env }], imagePullSecrets: [{ name: 'regcred' }] };
    const { resolved, asked } = await resolve(spec, 'references');
    expect(resolved.containers[0]?.env[2]).toEqual({
      name: 'PASSWORD',
      secretKeyRef: { name: 'db', key: 'password' },
    });
    expect([resolved.imagePullCredentials, resolved.imagePullSecrets]).toEqual([[], undefined]);
    expect(asked).toEqual([]);
  });

  test('has all credentials of all imagePullSecrets, in order', async () => {
    const { resolved } = await resolve({ imagePullSecrets: [{ name: 'one' }, { name: 'two' }] });
    expect(resolved.imagePullCredentials.map(({ registry }) => registry)).toEqual([
      'a.one',
      'b.one',
      'a.two',
      'b.two',
    ]);
    expect(resolved.imagePullSecrets).toEqual(['one', 'two']);
  });

  test("has a container's own limits over the tenant's", async () => {
    const { resolved } = await resolve({
      resources: { cpu: '1', memory: '1Gi' },
      containers: [
        { name: 'app', image: 'a', resources: { memory: '2Gi' } },
        { name: 'web', image: 'a' },
      ],
    });
    expect(resolved.containers.map(({ resources }) => resources)).toEqual([
      { cpu: '1', memory: '2Gi' },
      { cpu: '1', memory: '1Gi' },
    ]);
    expect(resolved.resources).toEqual({ cpu: '1', memory: '1Gi' });
  });
});
