import { describe, expect, it } from 'vitest';
import type { HealthCheck } from '../../../../src/api/container/health-check.ts';
import { hashedMounts } from '../../../../src/compute/providers/docker/state/volumes/container-mounts.ts';
import { permitUpTo } from '../../../../src/compute/permit.ts';
import { SecretValue } from '../../../../src/compute/spec/secret-value.ts';
import type { VolumeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, drivenDocker, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';
import { recordedChanges } from './recorded-changes.ts';

const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';
const filesVolume = /^landlord-acme_\.files\.[0-9a-f]{32}$/;

const secretFile = (text: string): VolumeSpec => ({
  name: 'tls',
  kind: 'files',
  from: 'Secret tls',
  files: [{ path: 'tls.key', mode: 0o400, content: new SecretValue(btoa(text)) }],
});
const withFiles = (text = 'hunter2', env: { name: string; value: string }[] = []) =>
  tenantSpec(
    {},
    {
      containers: [
        containerSpec('app', {
          env,
          volumeMounts: [
            { name: 'tls', mountPath: '/etc/tls' },
            { name: 'data', mountPath: '/data' },
          ],
        }),
      ],
      volumes: [secretFile(text), { name: 'data', kind: 'persistent' }],
    },
  );

async function provisioned(declared: readonly string[] = []) {
  const engine = memoryEngine(['app:1']);
  if (declared.length > 0) engine.imageVolumes.set('app:1', declared);
  const provider = drivenDocker(engine);
  const changes = recordedChanges(engine);
  await provider.provision(withFiles(), signal);
  const files = () => [...engine.volumes.keys()].filter((volume) => filesVolume.test(volume));
  return { engine, provider, changes, files };
}

describe('files of a Secret', () => {
  it('are in their volume before the container is made that mounts it to be read alone', async () => {
    const { engine, changes, files } = await provisioned();
    const [volume = ''] = files();
    expect(changes.filter((change) => !change.startsWith('createNetwork'))).toEqual([
      `createVolume landlord-acme_data`,
      `createVolume ${volume}`,
      `create ${name}`,
      `putFiles ${name} /landlord-files/0`,
      `remove ${name}`,
      `create ${name}`,
      `start ${name}`,
    ]);
    const [container] = engine.containers.values();
    expect(container?.hostConfig.Binds).toEqual([
      'landlord-acme_data:/data:rw',
      `${volume}:/etc/tls:ro,nocopy`,
    ]);
    expect(engine.filled.get(volume)?.toString('latin1')).toContain('hunter2');
  });

  it('are in no name, no label and no request that makes a container', async () => {
    const { engine } = await provisioned();
    const told = JSON.stringify([[...engine.containers.values()], [...engine.volumes.values()]]);
    expect(told).not.toMatch(/hunter2/);
    expect(told).not.toContain(btoa('hunter2'));
  });

  it('make no volume of what the image declares, while their own is filled', async () => {
    const { engine } = await provisioned(['/var/lib/db']);
    expect([...engine.volumes.keys()].filter((volume) => /^[0-9a-f]{64}$/.test(volume))).toEqual([]);
  });

  it('that change roll the container, and go with the old one', async () => {
    const { provider, files } = await provisioned();
    const before = files();
    expect((await provider.getStatus(withFiles(), { fresh: true, signal })).changes).toEqual([]);
    const changed = withFiles('hunter3');
    expect((await provider.getStatus(changed, { fresh: true, signal })).changes).toMatchObject([
      { path: 'containers.app.spec', cause: 'spec' },
    ]);
    await provider.update(changed, signal);
    expect(files()).toHaveLength(1);
    expect(files()).not.toEqual(before);
    expect((await provider.getStatus(changed, { fresh: true, signal })).changes).toEqual([]);
  });

  it('stay in their volume where something else changes', async () => {
    const { provider, engine, files } = await provisioned();
    const before = files();
    await provider.update(withFiles('hunter2', [{ name: 'LEVEL', value: 'debug' }]), signal);
    expect(files()).toEqual(before);
    expect([...engine.containers.values()].map(({ body }) => body.Env)).toEqual([['LEVEL=debug']]);
  });

  it('are no data: they are not kept with the volumes, and nobody misses them', async () => {
    const { provider, engine, files } = await provisioned();
    const { data } = await provider.getStatus(withFiles(), { fresh: true, signal });
    expect(data).toEqual(['volume landlord-acme_data']);
    const listed = await provider.list(signal);
    expect(listed.filter(({ isData }) => isData).map(({ resource }) => resource)).toEqual(data);
    expect(listed.map(({ resource }) => resource)).toContain(`volume ${files()[0]}`);
    const place = provider.bare.desired(withFiles());
    expect(await provider.bare.destroy(place, permitUpTo('outage'), signal)).toMatchObject({
      outcome: 'gone',
      retained: data,
    });
    expect([...engine.volumes.keys()]).toEqual(['landlord-acme_data']);
  });

  it('that an operator left which died over them go once the next one is done', async () => {
    const { provider, engine, files } = await provisioned();
    const left = `landlord-acme_.files.${'0'.repeat(32)}`;
    const [mine] = files();
    const marks = engine.volumes.get(mine ?? '')?.Labels ?? {};
    await engine.createVolume({ Name: left, Labels: marks }, signal);
    await provider.update(withFiles('hunter2', [{ name: 'LEVEL', value: 'debug' }]), signal);
    expect(files()).toEqual([mine]);
  });

  it('are not told where an engine repeats one', async () => {
    const { provider } = await provisioned();
    expect(provider.bare.desired(withFiles()).secrets).toEqual(['hunter2']);
  });
});

describe('a folder of a volume', () => {
  const mounting = (env: { name: string; value: string }[] = []) =>
    tenantSpec(
      {},
      {
        containers: [
          containerSpec('app', {
            env,
            volumeMounts: [{ name: 'data', mountPath: '/rows', subPath: 'db/rows' }],
          }),
        ],
        volumes: [{ name: 'data', kind: 'persistent' }],
      },
    );

  it('is made before the container that mounts it, open to every user, and left as it is once it is there', async () => {
    const engine = memoryEngine(['app:1']);
    const provider = drivenDocker(engine);
    const changes = recordedChanges(engine);
    await provider.provision(mounting(), signal);
    expect(changes.filter((change) => change.startsWith('putFiles'))).toEqual([
      `putFiles ${name} /landlord-files/0`,
    ]);
    const header = engine.filled.get('landlord-acme_data')?.toString('latin1') ?? '';
    expect([header.slice(0, 8), header.slice(100, 107), header[156]]).toEqual(['db/rows\0', '0000777', '5']);
    expect((await provider.getStatus(mounting(), { fresh: true, signal })).data).toEqual([
      'volume landlord-acme_data',
    ]);
    engine.folders.add('landlord-acme_data/db/rows');
    changes.length = 0;
    await provider.update(mounting([{ name: 'LEVEL', value: 'debug' }]), signal);
    expect(changes.filter((change) => change.startsWith('putFiles'))).toEqual([]);
  });
});

describe('the probe of a health check', () => {
  const probed = (healthCheck: HealthCheck, image = 'app:1') =>
    tenantSpec({}, { containers: [containerSpec('app', { image, healthCheck })] });
  const tcp = { tcpSocket: { port: 8080 } };

  it('is there before the container, to be read alone, and goes with it', async () => {
    const engine = memoryEngine(['app:1']);
    const provider = drivenDocker(engine);
    await provider.provision(probed(tcp), signal);
    const [volume = ''] = engine.volumes.keys();
    expect(volume).toMatch(filesVolume);
    expect(engine.filled.get(volume)?.toString('latin1')).toMatch(/^amd64\0.*arm64\0/s);
    const [{ hostConfig, body } = {}] = engine.containers.values();
    expect(hostConfig?.Binds).toEqual([`${volume}:/.landlord-probe:ro,nocopy`]);
    expect(body?.Healthcheck?.Test).toEqual(['CMD', '/.landlord-probe/amd64', '8080']);
    expect((await provider.getStatus(probed(tcp), { fresh: true, signal })).changes).toEqual([]);
    await provider.update(probed({ command: ['/ok'] }), signal);
    expect([...engine.volumes.keys()]).toEqual([]);
  });

  it('makes no other container where another version of it is mounted', () => {
    const provider = drivenDocker(memoryEngine(['app:1']));
    const [container] = provider.bare.desired(probed(tcp)).containers;
    expect(container?.files).toMatchObject([{ target: '/.landlord-probe' }]);
    expect(hashedMounts({ files: container?.files ?? [], tmpfs: [] }).files).toBeUndefined();
  });

  it('takes the place of no volume', () => {
    const config = { volumes: ['data:/.landlord-probe/'] };
    const spec = tenantSpec(config, { containers: [containerSpec('app', { healthCheck: tcp })] });
    const message =
      'spec.containers: container app: healthCheck: /.landlord-probe, where its probe is mounted, has a volume';
    expect(() => drivenDocker(memoryEngine([])).bare.desired(spec)).toThrow(
      expect.objectContaining({ code: 'InvalidSpec', message }),
    );
  });

  it('is missed in words where there is none for the architecture of the image, and what ran before goes on', async () => {
    const engine = memoryEngine(['app:1', 'app:2']);
    const inspectImage = engine.inspectImage.bind(engine);
    engine.inspectImage = async (reference, ...rest) => {
      const image = await inspectImage(reference, ...rest);
      return image && { ...image, Architecture: /app:2/.test(reference) ? 'riscv64' : 'amd64' };
    };
    const provider = drivenDocker(engine);
    await provider.provision(probed(tcp), signal);
    const before = [...engine.containers.keys()];
    expect(await provider.update(probed(tcp, 'app:2'), signal)).toMatchObject({
      outcome: 'rolled_back',
      message:
        "The new containers can't be created: container app: healthCheck: its probe is there for amd64 and arm64, and the image is for riscv64. Name a program of the image in command or shell",
    });
    expect([...engine.containers.keys()]).toEqual(before);
  });
});
