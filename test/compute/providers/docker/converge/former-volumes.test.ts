import { describe, expect, it } from 'vitest';
import { drivenDocker, tenantSpec } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';

/** Volumes that an earlier version named: `PREFIX-ID-NAME`, which may be `PREFIX-ID_NAME` of no other tenant. */

const signal = new AbortController().signal;
const former = 'landlord-acme-data';
const present = 'landlord-acme_data';
const spec = tenantSpec({ volumes: ['data:/data'] });

function bench() {
  const engine = memoryEngine(['app:1', 'app:2']);
  const provider = drivenDocker(engine);
  const { marks } = provider.desired(spec);
  const mounted = (): readonly string[] =>
    [...engine.containers.values()].flatMap(({ hostConfig }) => hostConfig.Binds ?? []);
  return { engine, provider, marks, mounted };
}

describe('a volume with the name that an earlier version gave it', () => {
  it('stays in use, and nothing is made in its place', async () => {
    const { engine, provider, marks, mounted } = bench();
    await engine.createVolume({ Name: former, Labels: { ...marks } }, signal);
    await provider.provision(spec, signal);
    expect(mounted()).toEqual([`${former}:/data:rw`]);
    expect([...engine.volumes.keys()]).toEqual([former]);
  });

  it('is mounted by a successor, too', async () => {
    const { engine, provider, marks, mounted } = bench();
    await engine.createVolume({ Name: former, Labels: { ...marks } }, signal);
    await provider.provision(spec, signal);
    await provider.update(tenantSpec({ volumes: ['data:/data'], image: 'app:2' }), signal);
    expect(mounted()).toEqual([`${former}:/data:rw`]);
  });

  it('goes with its tenant where that is asked for', async () => {
    const { engine, provider, marks } = bench();
    await engine.createVolume({ Name: former, Labels: { ...marks } }, signal);
    await provider.provision(spec, signal);
    expect((await provider.destroy(spec, signal)).outcome).toBe('gone');
    expect(engine.volumes.size).toBe(0);
  });

  it.each([
    ['nobody', () => ({})],
    ['another tenant', (marks: object) => ({ ...marks, 'landlord.tenant_name': 'other' })],
    ['another id of the same name', (marks: object) => ({ ...marks, 'landlord.tenant_id': 'acme-data' })],
  ])('is left alone where it is of %s', async (_whose, marked) => {
    const { engine, provider, marks, mounted } = bench();
    await engine.createVolume({ Name: former, Labels: marked(marks) }, signal);
    await provider.provision(spec, signal);
    expect(mounted()).toEqual([`${present}:/data:rw`]);
  });

  it('gives way to one of the present name', async () => {
    const { engine, provider, marks, mounted } = bench();
    for (const Name of [former, present]) await engine.createVolume({ Name, Labels: { ...marks } }, signal);
    await provider.provision(spec, signal);
    expect(mounted()).toEqual([`${present}:/data:rw`]);
  });

  it('is not kept from use by what somebody else gave the present name', async () => {
    const { engine, provider, marks, mounted } = bench();
    await engine.createVolume({ Name: former, Labels: { ...marks } }, signal);
    await engine.createVolume({ Name: present, Labels: {} }, signal);
    await provider.provision(spec, signal);
    expect(mounted()).toEqual([`${former}:/data:rw`]);
  });
});
