import { describe, expect, it, onTestFinished } from 'vitest';
import { drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';
import { recordedChanges } from './recorded-changes.ts';

const signal = new AbortController().signal;
const { ownership } = settings();

/** A tenant that runs, and what somebody runs from an image that was committed of it: it bears the same labels. */
async function bench(name = 'backup-of-friday') {
  const engine = memoryEngine(['app:1', 'app:2']);
  const provider = drivenDocker(engine);
  await provider.provision(tenantSpec(), signal);
  const [ours] = engine.containers.values();
  if (ours === undefined) throw new Error('no container');
  const HostConfig = { ...ours.hostConfig, NetworkMode: 'bridge' };
  const created = await engine.createContainer(name, { ...ours.body, HostConfig }, signal);
  if (created === 'name-taken') throw new Error('taken');
  await engine.startContainer(created.id, signal);
  const theirs = engine.containers.get(created.id);
  if (theirs === undefined) throw new Error('no container');
  return { engine, provider, ours, theirs, changes: recordedChanges(engine) };
}

describe("a person's container with labels that were copied from a tenant's", () => {
  it('is neither shown nor listed nor a difference', async () => {
    const { provider } = await bench();
    for (const fresh of [true, false]) {
      const seen = await provider.getStatus(tenantSpec(), { fresh, signal });
      expect(seen).toMatchObject({ changes: [], compute: { running: 1, desired: 1 } });
      expect(seen.compute.containers).toHaveLength(1);
    }
    expect((await provider.list(signal)).map(({ resource }) => resource)).toEqual([
      'container landlord-tenant-acme',
      'network landlord-acme',
    ]);
  });

  it.each([
    ['a sweep that finds nothing to do', 'app:1'],
    ['an update', 'app:2'],
  ])('is untouched by %s, and by the deletion after it', async (_what, image) => {
    const { engine, provider, theirs, changes } = await bench();
    const spec = tenantSpec({ image });
    await provider.update(spec, signal);
    expect((await provider.destroy(spec, signal)).outcome).toBe('gone');
    expect([...engine.containers.values()]).toEqual([theirs]);
    expect(theirs).toMatchObject({ name: 'backup-of-friday', state: 'running' });
    expect(changes.filter((change) => change.includes('backup'))).toEqual([]);
  });

  it('wakes nobody by what happens to it, unless it had one of our names until then', async () => {
    const { engine, provider, ours, theirs } = await bench();
    const hints: (string | undefined)[] = [];
    const stop = new AbortController();
    const watching = provider.watch((tenantId) => hints.push(tenantId), stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await watching;
    });
    await provider.getStatus(tenantSpec(), { fresh: false, signal });
    engine.emit('die', theirs);
    engine.emit('start', theirs);
    await provider.getStatus(tenantSpec(), { fresh: false, signal });
    expect(hints).toEqual([]);
    await engine.renameContainer(ours.id, 'kept-aside', signal);
    await expect.poll(() => hints).toEqual(['acme']);
  });

  it('under the name that a container of ours needs is a conflict that says so', async () => {
    const { engine, provider, theirs } = await bench();
    for (const id of engine.containers.keys()) if (id !== theirs.id) engine.containers.delete(id);
    theirs.name = 'landlord-tenant-acme';
    theirs.body.Labels = { ...theirs.body.Labels, [ownership.key('tenant_id')]: 'other' };
    await expect(provider.provision(tenantSpec(), signal)).rejects.toMatchObject({
      code: 'ProviderConflict',
      message:
        'container landlord-tenant-acme exists and bears labels that were copied from another container. ' +
        'Remove it, or give the tenant another tenantId',
    });
  });
});
