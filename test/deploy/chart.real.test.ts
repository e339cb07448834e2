import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { startControlPlane } from '../../dev/control-plane.ts';
import { helm } from '../../dev/helm.ts';
import { kubeRequest } from '../../dev/kube-request.ts';
import { apply, deployFolder, documentsOf } from './manifests.ts';
import { withoutLabels } from './references.ts';
import { over, rendered } from './user-kustomization.ts';
import type { UserFiles } from './user-kustomization.ts';

/** The chart, by the real Helm: what kustomize makes of deploy/, in other words. */

const chart = join(deployFolder, 'chart');
const values = parse(await readFile(join(chart, 'values.yaml'), 'utf8')) as { config: string };

interface Release {
  readonly name?: string;
  readonly namespace?: string;
  readonly values?: object;
}

async function helmTemplate({ name = 'landlord', namespace = 'landlord-system', values = {} }: Release = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-chart-'));
  try {
    const file = join(folder, 'values.yaml');
    await writeFile(file, stringify(values));
    return documentsOf(await helm(['template', name, chart, '--namespace', namespace, '--values', file]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const configOf = (more: object): string =>
  stringify({ ...(parse(values.config) as object), ...more }, { lineWidth: 0 });

/** A kustomization with this config. */
function withConfig(config: string, files: UserFiles): UserFiles {
  const { 'my/kustomization.yaml': kustomization, ...others } = files;
  const configMapGenerator = [{ name: 'landlord-config', behavior: 'replace', files: ['landlord.yaml'] }];
  return {
    ...others,
    'my/kustomization.yaml': { ...(kustomization as object), configMapGenerator },
    'my/landlord.yaml': config,
  };
}

test('helm lint has nothing against it', async () => {
  const told = await helm(['lint', '--strict', chart]);
  expect(told).toContain('1 chart(s) linted, 0 chart(s) failed');
});

describe('but for labels, helm template prints what kustomize does', () => {
  test('by default', async () => {
    const objects = withoutLabels(await helmTemplate());
    expect(objects).toEqual(withoutLabels(await rendered(over(''))));
    expect(Object.keys(objects).length).toBeGreaterThan(10);
  });

  test('in another namespace under another name', async () => {
    const objects = await helmTemplate({ name: 'prod-landlord', namespace: 'infra' });
    const files = over('', [], { namespace: 'infra', namePrefix: 'prod-' });
    expect(withoutLabels(objects)).toEqual(withoutLabels(await rendered(files)));
  });

  const docker = configOf({ compute: { docker: { image: 'nginx:latest' } } });
  const ecs = configOf({
    compute: {
      ecs: {
        cluster_arn: 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord',
        task_definition_arn: 'arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:12',
      },
    },
  });
  const named = configOf({ cluster_id: 'eu-1' });
  const selected = configOf({ policy: { namespaces: [{ selector: 'team=a', allow_retain: true }] } });
  const role = 'arn:aws:iam::123456789012:role/landlord';
  test.each<[what: string, values: object, files: UserFiles]>([
    [
      'the Docker socket',
      { config: docker, docker: { socket: { enabled: true } } },
      withConfig(docker, over('base', ['components/docker-socket'])),
    ],
    [
      'ECS by the service account, without Secrets',
      { config: ecs, ecs: { roleArn: role } },
      withConfig(ecs, over('base', ['components/ecs-irsa', 'components/no-secrets'])),
    ],
    ['a second replica', { replicas: 2 }, over('base', ['components/leader-election'])],
    [
      'a PodMonitor',
      { monitoring: { podMonitor: { enabled: true } } },
      over('base', ['components/monitoring']),
    ],
    [
      'the finalizer policy',
      { finalizerPolicy: { enabled: true } },
      over('base', ['components/finalizer-policy']),
    ],
    ['the CRD left out', { crds: { enabled: false } }, over('base', ['components/no-crds'])],
    ['a named cluster', { config: named }, withConfig(named, over('base', ['components/cluster-id']))],
    [
      'namespaces by their labels',
      { config: selected },
      withConfig(selected, over('base', ['components/namespace-selectors'])),
    ],
    [
      'all at once',
      {
        config: docker,
        replicas: 2,
        docker: { socket: { enabled: true } },
        monitoring: { podMonitor: { enabled: true } },
        finalizerPolicy: { enabled: true },
      },
      withConfig(
        docker,
        over('base', [
          'components/docker-socket',
          'components/leader-election',
          'components/monitoring',
          'components/finalizer-policy',
        ]),
      ),
    ],
  ])('with %s', async (_what, values, files) => {
    expect(withoutLabels(await helmTemplate({ values }))).toEqual(withoutLabels(await rendered(files)));
  });

  test('with the namespaces of the config', async () => {
    const config = configOf({ controller: { namespaces: ['team-a', 'team-b'] } });
    const team = (namespace: string): object => ({ namespace, resources: ['../../deploy/tenant-namespace'] });
    const files = withConfig(config, {
      'my/kustomization.yaml': {
        resources: ['../deploy/base', 'team-a', 'team-b'],
        components: ['../deploy/components/namespaced'],
      },
      'my/team-a/kustomization.yaml': team('team-a'),
      'my/team-b/kustomization.yaml': team('team-b'),
    });
    expect(withoutLabels(await helmTemplate({ values: { config } }))).toEqual(
      withoutLabels(await rendered(files)),
    );
  });

  test("with the operator's own namespace alone", async () => {
    const files = over('overlays/one-namespace', [], { namespace: 'infra' });
    const config = await readFile(join(deployFolder, 'overlays/one-namespace/landlord.yaml'), 'utf8');
    const objects = await helmTemplate({ namespace: 'infra', values: { config } });
    expect(withoutLabels(objects)).toEqual(withoutLabels(await rendered(files)));
  });
});

test('helm installs it on an apiserver that has never seen it, upgrades it, and leaves the CRD when it goes', async () => {
  const plane = await startControlPlane();
  try {
    const install = async (...more: string[]): Promise<void> => {
      const args = ['upgrade', '--install', 'landlord', chart, '--namespace', 'landlord-system'];
      await helm([...args, '--create-namespace', ...more], plane.kubeconfigPath);
    };
    const statusOf = async (path: string): Promise<number> =>
      (await kubeRequest(plane.kubeconfigPath, { path })).status;
    const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tenants.landlord.dev';
    const deployment = '/apis/apps/v1/namespaces/landlord-system/deployments/landlord';
    await install();
    await install('--set', 'replicas=2');
    const { body } = await kubeRequest(plane.kubeconfigPath, { path: deployment });
    expect(body).toMatchObject({ spec: { replicas: 2 } });
    const uninstall = ['uninstall', 'landlord', '--namespace', 'landlord-system', '--cascade', 'background'];
    await helm(uninstall, plane.kubeconfigPath);
    expect([await statusOf(crd), await statusOf(deployment)]).toEqual([200, 404]);
    await install();
    expect(await statusOf(deployment)).toBe(200);
    await helm(uninstall, plane.kubeconfigPath);
    // What kustomize has installed is taken over where that is asked for, and not otherwise.
    await apply(plane.kubeconfigPath, await rendered(over('')));
    await expect(install()).rejects.toThrow('invalid ownership metadata');
    await install('--take-ownership');
  } finally {
    await plane.stop();
  }
});

describe('a value of its own', () => {
  test('goes where Kubernetes wants it', async () => {
    const objects = await helmTemplate({
      values: {
        image: { repository: 'registry.example/landlord', tag: '1.2.3', pullPolicy: 'Always' },
        imagePullSecrets: [{ name: 'regcred' }],
        serviceAccount: { annotations: { a: 'b' } },
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ key: 'infra', operator: 'Exists' }],
        priorityClassName: 'high',
        podAnnotations: { c: 'd' },
        extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example:3128' }],
        extraVolumes: [{ name: 'tls', secret: { secretName: 'engine-tls' } }],
        extraVolumeMounts: [{ name: 'tls', mountPath: '/etc/tls' }],
        resources: { limits: { memory: '1Gi' } },
      },
    });
    const account = objects.find(({ kind }) => kind === 'ServiceAccount');
    expect(account?.metadata).toMatchObject({ annotations: { a: 'b' } });
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    expect(deployment?.['spec']).toMatchObject({
      template: {
        metadata: { annotations: { c: 'd' } },
        spec: {
          imagePullSecrets: [{ name: 'regcred' }],
          nodeSelector: { disk: 'ssd' },
          tolerations: [{ key: 'infra', operator: 'Exists' }],
          priorityClassName: 'high',
          containers: [
            {
              image: 'registry.example/landlord:1.2.3',
              imagePullPolicy: 'Always',
              env: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example:3128' }],
              resources: { limits: { memory: '1Gi' } },
              volumeMounts: [{ name: 'config' }, { name: 'tls', mountPath: '/etc/tls' }],
            },
          ],
          volumes: [{ name: 'config' }, { name: 'tls', secret: { secretName: 'engine-tls' } }],
        },
      },
    });
  });

  test('that is a large number is printed as one: a group of OpenShift', async () => {
    const config = configOf({ compute: { docker: { image: 'nginx:latest' } } });
    const values = { config, docker: { socket: { enabled: true, group: 1_000_730_000 } } };
    const deployment = (await helmTemplate({ values })).find(({ kind }) => kind === 'Deployment');
    expect(JSON.stringify(deployment)).toContain('"supplementalGroups":[1000730000]');
  });

  test('names the one Lease that may be asked for, as the config does', async () => {
    const config = configOf({ leader_election: { enabled: true, name: 'blue' } });
    const role = (await helmTemplate({ values: { config } })).find(
      ({ kind, metadata }) => kind === 'Role' && metadata.name === 'landlord-lease',
    );
    expect(role?.['rules']).toMatchObject([{}, { resourceNames: ['blue'] }]);
  });

  test.each<[what: string, values: object, told: string]>([
    ['no YAML', { config: 'compute: {' }, 'config: is not YAML'],
    [
      'replicas that would all work at once',
      { replicas: 2, config: 'compute: {mock: {}}' },
      'replicas: more than one needs leader_election.enabled in config',
    ],
    [
      'a socket that nobody uses',
      { docker: { socket: { enabled: true } } },
      'docker.socket.enabled: config has no compute.docker',
    ],
    ['a value that there is not', { replica: 2 }, 'replica'],
    ['a value of another type', { replicas: 'two' }, 'replicas'],
  ])('that can not be meant is refused in words: %s', async (_what, values, told) => {
    await expect(helmTemplate({ values })).rejects.toThrow(told);
  });
});
