import type Dockerode from 'dockerode';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { pushImage } from '../../dev/images.ts';
import { dockerBlock, engineView } from '../cluster/docker-tenants.ts';
import { createTestNamespace } from '../cluster/test-namespace.ts';
import type { TestNamespace } from '../cluster/test-namespace.ts';
import { startTestOperator } from '../cluster/test-operator.ts';
import type { TestOperator } from '../cluster/test-operator.ts';
import { tenantSchema } from '../../src/api/tenant.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { validateManifests } from '../../src/convert/validate.ts';
import { runImport } from '../../src/import/command.ts';

describe('landlord import docker', () => {
  const view = engineView();
  const own: { remove(options?: object): Promise<unknown> }[] = [];
  let ns: TestNamespace;
  let operator: TestOperator;
  let image: string;

  const landlord = async (...args: string[]) => {
    let out = '';
    const lines: string[] = [];
    const output = { out: (text: string) => (out += text), error: (line: string) => void lines.push(line) };
    const options = { blocks: tenantBlocks, environment: { DOCKER_HOST: inject('dockerHost') }, output };
    const code = await runImport(['import', 'docker', ...args], options, new AbortController().signal);
    return { code, out, lines };
  };

  beforeAll(async () => {
    ns = await createTestNamespace('import');
    image = await pushImage(
      { address: inject('registryAddress') },
      {
        repository: ns.name,
        tag: '1',
        env: { OF_IMAGE: 'yes' },
        exposedPorts: [8080],
        volumes: ['/of-image'],
        healthCheck: { Test: ['CMD', '/bin/ok'], Interval: 1_000_000_000 },
      },
    );
    await view.pull(image);
    operator = startTestOperator({
      namespaces: [ns.name],
      compute: { docker: dockerBlock(image) },
      config: {
        instance: ns.name,
        policy: { docker: { allow_capabilities: ['NET_ADMIN'], allow_sysctls: ['net.core.somaxconn'] } },
      },
    });
  });
  afterAll(async () => {
    await operator?.stop();
    await ns?.remove();
    for (const one of own.toReversed()) await one.remove({ force: true, v: true });
    if (ns !== undefined) await view.clear(ns.name);
  });

  /** As `docker compose up` makes them. */
  const inProject = async (service: string, body: Dockerode.ContainerCreateOptions, dependsOn = '') => {
    const container = await view.docker.createContainer({
      _query: { name: `${ns.name}-${service}-1` },
      _body: {
        Image: image,
        ...body,
        Labels: {
          'com.docker.compose.project': ns.name,
          'com.docker.compose.oneoff': 'False',
          'com.docker.compose.service': service,
          'com.docker.compose.config-hash': service,
          'com.docker.compose.container-number': '1',
          'com.docker.compose.depends_on': dependsOn,
          ...body.Labels,
        },
        HostConfig: { NetworkMode: `${ns.name}_default`, ...body.HostConfig },
        NetworkingConfig: { EndpointsConfig: { [`${ns.name}_default`]: { Aliases: [service] } } },
      },
    } as never);
    own.push(container);
    await container.start();
  };

  test('prints a project as a Tenant that runs as it does', async () => {
    own.push(await view.docker.createNetwork({ Name: `${ns.name}_default`, Driver: 'bridge' }));
    const volume = `${ns.name}_data`;
    await view.docker.createVolume({ Name: volume, Labels: { 'com.docker.compose.volume': 'data' } });
    own.push(view.docker.getVolume(volume));
    const user = { Healthcheck: { Test: ['NONE'] }, User: '1000:1000' };
    await inProject('db', { ...user, HostConfig: { Binds: [`${volume}:/tmp`] } });
    await inProject(
      'web',
      {
        Entrypoint: ['/app'],
        Cmd: ['serve', '10ms'],
        Env: ['DB_URL=http://db:8080', 'DOLLAR=$PATH'],
        Hostname: 'storefront',
        StopSignal: 'SIGINT',
        StopTimeout: 3,
        Tty: true,
        Labels: { team: 'a' },
        HostConfig: {
          Memory: 67_108_864,
          NanoCpus: 500_000_000,
          ShmSize: 8_388_608,
          ReadonlyRootfs: true,
          Init: true,
          CapAdd: ['NET_ADMIN'],
          CapDrop: ['CHOWN'],
          Dns: ['127.0.0.1'],
          ExtraHosts: ['gate:10.1.2.3'],
          Sysctls: { 'net.core.somaxconn': '99' },
          Ulimits: [{ Name: 'nofile', Soft: 1000, Hard: 2000 }],
          Tmpfs: { '/run': 'size=1m' },
          PortBindings: { '8080/tcp': [{ HostIp: '', HostPort: '' }] },
          RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
          LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
          PidsLimit: 200,
        },
      },
      'db:service_started:false',
    );
    const { code, out, lines } = await landlord('--project', ns.name, '--strict');
    expect(lines.filter((line) => line.includes(': dropped: '))).toEqual([]);
    expect(code).toBe(0);
    const schema = tenantSchema(tenantBlocks);
    expect(validateManifests(out, schema)).toEqual({ tenants: 1, faults: [] });
    const [document] = parseAllDocuments(out, { version: '1.1' });
    const { spec } = (document?.toJS() ?? {}) as {
      readonly spec: Record<string, unknown>;
    };
    // What the image says is not repeated.
    expect(out).not.toContain('OF_IMAGE');
    expect(out).not.toContain('/of-image');

    await ns.create('project', spec);
    await ns.untilReady('project');
    const running = await view.containers(ns.name, 'project');
    const made = await Promise.all(running.map(({ Id }) => view.docker.getContainer(Id).inspect()));
    for (const service of ['db', 'web']) {
      const before = await view.docker.getContainer(`${ns.name}-${service}-1`).inspect();
      const after = made.find(({ Config }) => Config.Labels['landlord.container'] === service);
      expect(after && traits(after)).toEqual(traits(before));
    }
  });

  test('says by name what is not there', async () => {
    await expect(landlord(`${ns.name}-none`)).rejects.toThrow(/^the engine at unix:.* has no container /);
  });

  test('says what it means by an engine that does not answer', async () => {
    await expect(landlord('--host', 'unix:///nowhere.sock', 'web')).rejects.toThrow(
      /Docker Engine at unix:\/\/\/nowhere\.sock/,
    );
  });
});

/** What a container is, by the engine's own word, apart from what Landlord bounds on its own. */
function traits({ Path, Args, Config, HostConfig, Mounts }: Dockerode.ContainerInspectInfo) {
  const { User, Env, StopSignal, StopTimeout, Tty, Healthcheck, WorkingDir, Labels, Hostname } =
    Config as typeof Config & { readonly StopSignal: string; readonly StopTimeout: number };
  const { Memory, NanoCpus, ShmSize, ReadonlyRootfs, Init, Dns, ExtraHosts, Sysctls, Ulimits } = HostConfig;
  const names = (list: string[] | null | undefined) => (list ?? []).map((one) => one.replace(/^CAP_/, ''));
  const [added, dropped] = [names(HostConfig.CapAdd), names(HostConfig.CapDrop)];
  return {
    process: { Path, Args, User, StopSignal, StopTimeout, Tty, Healthcheck, WorkingDir },
    host: { Memory, NanoCpus, ShmSize, ReadonlyRootfs, Init, Dns, ExtraHosts, Sysctls, Ulimits },
    environment: Env.toSorted(),
    hostname: /^[0-9a-f]{12}$/.test(Hostname) ? '' : Hostname,
    team: Labels['team'],
    mayAdministerNetworks: added.includes('NET_ADMIN'),
    mayChown: added.includes('CHOWN') || !(dropped.includes('CHOWN') || dropped.includes('ALL')),
    ports: Object.keys((HostConfig.PortBindings as object | null) ?? {}),
    mounts: Mounts.map(({ Type, Destination }) => `${Type} ${Destination}`)
      .filter((mount) => !mount.startsWith('tmpfs'))
      .toSorted(),
    // Asked for in one way it is among the mounts, in the other it is not.
    tmpfs: [
      ...Object.keys((HostConfig.Tmpfs as object | null | undefined) ?? {}),
      ...(HostConfig.Mounts ?? []).filter(({ Type }) => Type === 'tmpfs').map(({ Target }) => Target),
    ],
  };
}
