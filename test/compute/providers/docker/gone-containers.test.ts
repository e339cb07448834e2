import { describe, expect, it } from 'vitest';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { SecretValue } from '../../../../src/compute/spec/secret-value.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import { EngineRefusal } from '../../../../src/compute/providers/docker/engine/engine.ts';
import { containerSpec, drivenDocker, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
const look = { fresh: true, signal };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A tenant that was seen to run as `spec` says, whose containers of these names a person removes. */
async function robbed(spec: TenantComputeSpec<DockerConfig>, names: readonly string[]) {
  const engine = memoryEngine(['app:1', 'app:2']);
  const provider = drivenDocker(engine);
  await provider.provision(spec, signal);
  await provider.getStatus(spec, look);
  for (const [id, { name }] of engine.containers) if (names.includes(name)) engine.containers.delete(id);
  const states = () =>
    [...engine.containers.values()].map(({ name, body, state }) => `${name} ${body.Image} ${state}`);
  return { engine, provider, states };
}

const only = 'landlord-tenant-acme';
const several = (side: string) =>
  tenantSpec({}, { containers: [containerSpec('app'), containerSpec('side', { image: side })] });

describe('what ran before a spec that is not to be tried', () => {
  it('is made again where it is gone', async () => {
    const { provider, states } = await robbed(tenantSpec(), [only]);
    const rejected = tenantSpec({ image: 'app:2' });
    const gone = { path: 'containers.app', desired: 'present', actual: 'absent', effect: 'live' };
    expect((await provider.getStatus(rejected, look)).gone).toMatchObject([gone]);
    expect((await provider.hold(rejected, signal)).outcome).toBe('done');
    expect(states()).toEqual([`${only} app:1 running`]);
    expect((await provider.getStatus(rejected, look)).gone).toBeUndefined();
  });

  it('is made again in part, and nothing of the new spec with it', async () => {
    const { provider, states } = await robbed(several('app:1'), [`${only}.app`]);
    await provider.hold(several('app:2'), signal);
    expect(states()).toEqual([`${only}.side app:1 running`, `${only}.app app:1 running`]);
  });

  it('is made again while the new image is not to be had', async () => {
    const { engine, provider, states } = await robbed(tenantSpec(), [only]);
    const unavailable = tenantSpec({ image: 'missing:1' });
    await provider.provision(unavailable, signal);
    engine.containers.clear();
    await turn();
    await expect(provider.provision(unavailable, signal)).rejects.toMatchObject({ code: 'ImageUnavailable' });
    expect(states()).toEqual([`${only} app:1 running`]);
  });

  it('is not known to another process, nor after the tenant was destroyed', async () => {
    const { engine, provider, states } = await robbed(tenantSpec(), [only]);
    const rejected = tenantSpec({ image: 'app:2' });
    const another = drivenDocker(engine);
    expect((await another.getStatus(rejected, look)).gone).toBeUndefined();
    await another.hold(rejected, signal);
    await provider.destroy(tenantSpec(), signal);
    await provider.hold(rejected, signal);
    expect(states()).toEqual([]);
  });

  it('is not that of a Tenant of the same name before', async () => {
    const { provider, states } = await robbed(tenantSpec(), [only]);
    const tenant = { namespace: 'team-a', name: 'acme', uid: 'uid-2' };
    await provider.hold(tenantSpec({ image: 'app:2' }, { tenant }), signal);
    expect(states()).toEqual([]);
  });

  it('is not run again where it may have come to its end', async () => {
    const job = (image: string) => tenantSpec({ image, restart_policy: 'no' });
    const { provider, states } = await robbed(job('app:1'), [only]);
    await provider.hold(job('app:2'), signal);
    expect(states()).toEqual([]);
  });

  it('does not come back once it was succeeded', async () => {
    const { engine, provider, states } = await robbed(tenantSpec(), []);
    await provider.update(several('app:1'), signal);
    for (const [id, { name }] of engine.containers) if (name === `${only}.side`) engine.containers.delete(id);
    expect((await provider.getStatus(several('app:1'), look)).gone).toBeUndefined();
    await provider.hold(several('app:1'), signal);
    expect(states()).toEqual([`${only}.app app:1 running`]);
  });

  it('that can not be made again is told without its secrets', async () => {
    const env = [{ name: 'P', secretKeyRef: { name: 's', key: 'k' }, secret: new SecretValue('hunter2') }];
    const { engine, provider } = await robbed(
      tenantSpec({}, { containers: [containerSpec('app', { env })] }),
      [only],
    );
    engine.createContainer = async () => {
      throw new EngineRefusal('other', 400, 'bad value hunter2');
    };
    const held = provider.hold(tenantSpec({ image: 'app:2' }), signal);
    await expect(held).rejects.toMatchObject({ code: 'UpdateFailed' });
    await expect(held).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') as string });
  });
});
