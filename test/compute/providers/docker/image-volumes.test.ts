import { describe, expect, it } from 'vitest';
import { permitUpTo } from '../../../../src/compute/permit.ts';
import { anyConsent } from '../../permits.ts';
import { containerSpec, drivenDocker, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';
import type { MemoryContainer } from './memory-engine.ts';
import { recordedChanges } from './recorded-changes.ts';

const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';
const path = '/var/lib/db';
const named = expect.stringMatching(/^landlord-acme\.app\.[0-9a-f]{8}$/) as string;
const anonymous = 'a'.repeat(64);

function bench() {
  const engine = memoryEngine(['db:1', 'db:2', 'app:1']);
  engine.imageVolumes.set('db:1', [path]);
  engine.imageVolumes.set('db:2', [`${path}/`]);
  const provider = drivenDocker(engine);
  const only = (): MemoryContainer => {
    const [container, ...others] = engine.containers.values();
    if (container === undefined || others.length > 0) throw new Error('not one container');
    return container;
  };
  return { engine, provider, only, mounted: () => only().hostConfig.Binds ?? [] };
}

const db = (env: Record<string, string> = {}, image = 'db:1') => tenantSpec({ image, env });

/** A container of an earlier version, whose volume the engine has made for it alone. */
async function withAnonymousVolume() {
  const { engine, provider, only, mounted } = bench();
  await provider.provision(db(), signal);
  const made = only();
  made.hostConfig.Binds = [];
  Object.assign(made, { anonymous: [{ name: anonymous, target: path }] });
  engine.volumes.clear();
  engine.volumes.set(anonymous, { Name: anonymous } as never);
  return { engine, provider, mounted, changes: recordedChanges(engine) };
}

describe('a volume that the image asks for', () => {
  it('has a name and the marks of the tenant, and is listed as data', async () => {
    const { engine, provider, mounted } = bench();
    await provider.provision(db(), signal);
    const [volume, ...others] = engine.volumes.values();
    expect(others).toEqual([]);
    expect(volume).toMatchObject({
      Name: named,
      Labels: { 'landlord.tenant_id': 'acme', 'landlord.container': 'app', 'landlord.path': path },
    });
    expect(mounted()).toEqual([`${volume?.Name}:${path}:rw`]);
    expect((await provider.list(signal)).filter(({ isData }) => isData)).toMatchObject([
      { resource: `volume ${volume?.Name}`, tenantId: 'acme' },
    ]);
  });

  it.each([
    ['another environment', db({ LEVEL: 'debug' })],
    ['another image', db({}, 'db:2')],
  ])('is mounted again after %s, by then without the old container beside it', async (_what, spec) => {
    const { engine, provider, mounted } = bench();
    await provider.provision(db(), signal);
    const [before] = [mounted()];
    const changes = recordedChanges(engine);
    const seen = await provider.getStatus(spec, { fresh: true, signal });
    expect(seen.changes).toMatchObject([{ cause: 'spec', effect: 'gap' }]);
    await provider.update(spec, signal);
    expect(mounted()).toEqual(before);
    expect(changes).toEqual([
      `create ${name}_next`,
      `stop ${name} 10`,
      `start ${name}_next`,
      `rename ${name} ${name}_old`,
      `rename ${name}_next ${name}`,
      `remove ${name}_old`,
    ]);
  });

  it('is mounted again where somebody has removed the container and its nameless volumes', async () => {
    const { engine, provider, only, mounted } = bench();
    await provider.provision(db(), signal);
    const [before] = [mounted()];
    await engine.removeContainer(only().id, anyConsent, signal);
    await provider.provision(db(), signal);
    expect(mounted()).toEqual(before);
  });

  it('is one for each container of the tenant', async () => {
    const { engine, provider } = bench();
    const containers = ['a', 'b'].map((one) => containerSpec(one, { image: 'db:1' }));
    await provider.provision(tenantSpec({}, { containers }), signal);
    const mounts = [...engine.containers.values()].flatMap(({ hostConfig }) => hostConfig.Binds ?? []);
    expect(new Set(mounts).size).toBe(2);
  });

  it('is not made where the spec mounts something there', async () => {
    const { engine, provider, mounted } = bench();
    await provider.provision(tenantSpec({ image: 'db:1', volumes: [`data:${path}`] }), signal);
    expect([...engine.volumes.keys()]).toEqual(['landlord-acme_data']);
    expect(mounted()).toEqual([`landlord-acme_data:${path}:rw`]);
  });

  it('of an image that no longer asks for it stays for one that does again', async () => {
    const { engine, provider, mounted } = bench();
    await provider.provision(db(), signal);
    const [before] = [mounted()];
    await provider.update(db({}, 'app:1'), signal);
    expect(mounted()).toEqual([]);
    expect(engine.volumes.size).toBe(1);
    await provider.update(db({}, 'db:2'), signal);
    expect(mounted()).toEqual(before);
  });

  it('is kept and named when the tenant goes, and removed only with consent to the loss of data', async () => {
    const { engine, provider } = bench();
    await provider.provision(db(), signal);
    const place = provider.desired(db());
    const [volume] = engine.volumes.keys();
    const kept = await provider.bare.destroy(place, permitUpTo('outage'), signal);
    expect(kept).toMatchObject({ outcome: 'gone', retained: [`volume ${volume}`] });
    expect([...engine.volumes.keys()]).toEqual([volume]);
    await provider.bare.destroy(place, permitUpTo('data-loss'), signal);
    expect(engine.volumes.size).toBe(0);
  });
});

describe('a nameless volume of a container that an earlier version made', () => {
  it('is taken over by each successor, the old container being stopped first', async () => {
    const { engine, provider, mounted, changes } = await withAnonymousVolume();
    for (const env of [{ LEVEL: 'debug' }, { LEVEL: 'info' }]) {
      const spec = db(env);
      expect((await provider.getStatus(spec, { fresh: true, signal })).changes).toMatchObject([
        { effect: 'gap' },
      ]);
      changes.length = 0;
      await provider.update(spec, signal);
      expect(changes.slice(0, 3)).toEqual([`create ${name}_next`, `stop ${name} 10`, `start ${name}_next`]);
      expect(mounted()).toEqual([`${anonymous}:${path}:rw`]);
    }
    expect([...engine.volumes.keys()]).toEqual([anonymous]);
  });

  it('is taken over by the container that is made in the place of a dead one', async () => {
    const { engine, provider, mounted, changes } = await withAnonymousVolume();
    for (const container of engine.containers.values()) container.state = 'dead';
    await provider.update(db(), signal);
    expect(changes).toEqual([`remove ${name}`, `create ${name}`, `start ${name}`]);
    expect(mounted()).toEqual([`${anonymous}:${path}:rw`]);
  });

  it('stays where a replacement does not mount it', async () => {
    const { engine, provider, mounted } = await withAnonymousVolume();
    await provider.update(db({}, 'app:1'), signal);
    expect(mounted()).toEqual([]);
    expect([...engine.volumes.keys()]).toEqual([anonymous]);
  });

  it.each([
    ['as it was made', false],
    ['taken over', true],
  ])('is kept and named when the tenant goes, and removed with consent: %s', async (_what, takenOver) => {
    const one = await withAnonymousVolume();
    const other = await withAnonymousVolume();
    if (takenOver)
      for (const { provider } of [one, other]) await provider.update(db({ LEVEL: 'debug' }), signal);
    const place = one.provider.desired(db());
    expect(await one.provider.bare.destroy(place, permitUpTo('outage'), signal)).toMatchObject({
      outcome: 'gone',
      retained: [`volume ${anonymous}`],
    });
    expect([...one.engine.volumes.keys()]).toEqual([anonymous]);
    await other.provider.bare.destroy(place, permitUpTo('data-loss'), signal);
    expect(other.engine.volumes.size).toBe(0);
  });
});
