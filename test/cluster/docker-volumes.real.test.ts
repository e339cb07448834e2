import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

describe('the volume of a Tenant on Docker', () => {
  const view = engineView();
  let ns: TestNamespace;
  let operator: TestOperator;

  beforeAll(async () => {
    ns = await createTestNamespace('volumes');
    const registry = { address: inject('registryAddress') };
    const image = await pushImage(registry, { repository: ns.name, tag: '1' });
    await view.pull(image);
    operator = startTestOperator({
      namespaces: [ns.name],
      compute: { docker: dockerBlock(image), mock: {} },
      config: { instance: ns.name },
    });
  });
  afterAll(async () => {
    await operator?.stop();
    await ns?.remove();
    if (ns !== undefined) await view.clear(ns.name);
  });

  /** What the program prints that runs in the tenant's container. */
  const run = async (tenant: string, ...Cmd: string[]): Promise<string> => {
    const [container] = await view.containers(ns.name, tenant);
    const exec = await view.docker
      .getContainer(container?.Id ?? '')
      .exec({ Cmd: ['/app', ...Cmd], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({});
    const out = new PassThrough();
    view.docker.modem.demuxStream(stream, out, out);
    stream.once('end', () => out.end());
    return (await text(out)).trim();
  };

  const moveTo = async (name: string, computeProvider: string) => {
    await ns.patch(name, { spec: { computeProvider } });
    return ns.until(name, `on ${computeProvider} alone`, ({ status, metadata }) => {
      const ready = findCondition(status?.conditions, 'Ready');
      return (
        status?.observedGeneration === metadata.generation &&
        status?.computeProvider === computeProvider &&
        (status.previousPlacements ?? []).length === 0 &&
        ready?.status === 'True'
      );
    });
  };

  test('has its files when the Tenant comes back from another provider, is named meanwhile, by its former name, too, and missed once it is gone', async () => {
    await ns.create('db', {
      computeProvider: 'docker',
      computeConfig: { docker: { volumes: ['data:/tmp'] }, mock: {} },
    });
    await ns.untilReady('db');
    await run('db', 'write', '/tmp/rows', 'precious');
    const name = `landlord-${defaultTenantId(ns.name, 'db')}_data`;
    const volume = `volume ${name}`;
    const away = await moveTo('db', 'mock');
    expect(away.status?.retained).toMatchObject([{ provider: 'docker', resource: volume }]);
    expect(await view.leftovers(ns.name, 'db')).toEqual([volume]);
    const back = await moveTo('db', 'docker');
    expect(back.status?.retained ?? []).toEqual([]);
    expect(await run('db', 'read', '/tmp/rows')).toBe('precious');

    const { Labels } = await view.docker.getVolume(name).inspect();
    const id = defaultTenantId(ns.name, 'older');
    const marks = { ...Labels, 'landlord.tenant_id': id, 'landlord.tenant_name': 'older' };
    await view.docker.createVolume({ Name: `landlord-${id}-data`, Labels: marks });
    await ns.create('older', {
      computeProvider: 'docker',
      volumePolicy: 'Delete',
      computeConfig: { docker: { volumes: ['data:/tmp'] } },
    });
    await ns.untilReady('older');
    const [older] = await view.containers(ns.name, 'older');
    const { Mounts } = await view.docker.getContainer(older?.Id ?? '').inspect();
    expect(Mounts.map((mount) => mount.Name)).toEqual([`landlord-${id}-data`]);

    await ns.patch('db', { spec: { suspend: true } });
    await ns.until('db', 'suspended', ({ status }) => status?.phase === 'Suspended');
    const [container] = await view.containers(ns.name, 'db');
    await view.docker.getContainer(container?.Id ?? '').remove({ force: true });
    await view.docker.getVolume(name).remove();
    await ns.patch('db', { spec: { suspend: false } });
    const again = await ns.untilReady('db');
    expect(findCondition(again.status?.conditions, 'Ready')?.message).toContain(`${volume} was lost`);
  });
});
