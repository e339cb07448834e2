import { describe, expect, it } from 'vitest';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { sharedEngine, withBlock, withContainers } from './shared-engine.ts';
import type { Config } from './shared-engine.ts';

/** A tenant is in a network with nobody else, unless the operator says otherwise for all. */

const signal = new AbortController().signal;
const engineOf = (): MemoryEngine => memoryEngine(['app:1']);

/** The networks that the containers of each tenant were made for. */
function networksOf({ containers }: MemoryEngine, tenant: string): readonly string[] {
  const own = [...containers.values()].filter(({ body }) => body.Labels?.['landlord.tenant_id'] === tenant);
  return [...new Set(own.map(({ hostConfig }) => hostConfig.NetworkMode ?? 'bridge'))];
}

async function applied(config: Config, spec?: Record<string, unknown>): Promise<MemoryEngine> {
  const engine = engineOf();
  const { apply } = sharedEngine(engine, config);
  for (const tenant of ['acme', 'victim']) await apply(tenant, spec);
  return engine;
}

describe('by default, a tenant', () => {
  it.each<[string, Record<string, unknown> | undefined]>([
    ['that says nothing', undefined],
    ['with one container', withContainers('web')],
    ['with several containers', withContainers('web', 'db')],
    ['that asks for network_mode bridge', withBlock({ network_mode: 'bridge' })],
    ['that unsets network_mode', withBlock({ network_mode: null })],
  ])('%s is in a network of its own, with its marks and a subnet of its own', async (_what, spec) => {
    const engine = await applied({}, spec);
    expect(networksOf(engine, 'acme')).toEqual(['landlord-acme']);
    expect(networksOf(engine, 'victim')).toEqual(['landlord-victim']);
    const made = [...engine.networks.values()].map(({ Name, Labels, IPAM }) => [
      Name,
      Labels?.['landlord.tenant_id'],
      IPAM?.Config?.[0]?.['Subnet'],
    ]);
    expect(made).toEqual([
      ['landlord-acme', 'acme', '10.210.0.0/28'],
      ['landlord-victim', 'victim', '10.210.0.16/28'],
    ]);
  });
});

describe('where the operator names a network', () => {
  it.each<[string, Record<string, unknown> | undefined]>([
    ['nothing', undefined],
    ['network_mode bridge', withBlock({ network_mode: 'bridge' })],
  ])(
    'a tenant with one container that says %s is in that one, which keeps its containers apart',
    async (_w, spec) => {
      const engine = await applied({ docker: { network_name: 'tenants' } }, spec);
      expect(networksOf(engine, 'acme')).toEqual(['tenants']);
      expect(networksOf(engine, 'victim')).toEqual(['tenants']);
      expect([...engine.networks.values()].map(({ Name, Options }) => [Name, Options])).toEqual([
        ['tenants', { 'com.docker.network.bridge.enable_icc': 'false' }],
      ]);
    },
  );

  it('a tenant is on the bridge of the whole host only if it is that one', async () => {
    const engine = await applied({ docker: { network_name: 'bridge' } });
    expect(networksOf(engine, 'acme')).toEqual(['bridge']);
    expect(engine.networks.size).toBe(0);
  });

  it('several containers of one tenant are still among themselves', async () => {
    const engine = await applied({ docker: { network_name: 'tenants' } }, withContainers('web', 'db'));
    expect(networksOf(engine, 'acme')).toEqual(['landlord-acme']);
  });

  it('no tenant can have a network of that name', async () => {
    const { apply } = sharedEngine(engineOf(), { docker: { network_name: 'landlord-shared' } });
    await expect(apply('evil', { tenantId: 'shared', ...withContainers('a', 'b') })).rejects.toMatchObject({
      code: 'InvalidSpec',
      message: expect.stringMatching(
        /landlord-shared.*compute\.docker\.network_name.*another tenantId/,
      ) as string,
    });
  });
});

describe("a network of the operator's name", () => {
  const marks = (over: Record<string, string> = {}) => ({
    'landlord.owner': 'default',
    'landlord.cluster': 'cluster-1',
    ...over,
  });
  const applyBeside = async (Labels: Record<string, string>) => {
    const engine = engineOf();
    await engine.createNetwork({ Name: 'tenants', Labels }, signal);
    const { apply } = sharedEngine(engine, { docker: { network_name: 'tenants' } });
    await apply('victim');
    return engine;
  };

  it.each<[string, Record<string, string>]>([
    ["is a tenant's of this operator", marks({ 'landlord.tenant_id': 'shared' })],
    ["is a tenant's of an earlier label_prefix", { 'old.owner': 'default', 'old.tenant_id': 'shared' }],
    ["is another operator's", marks({ 'landlord.owner': 'other' })],
    ["is another cluster's", marks({ 'landlord.cluster': 'cluster-2' })],
  ])('that %s is used by nobody', async (_what, labels) => {
    await expect(applyBeside(labels)).rejects.toMatchObject({
      code: 'ProviderConflict',
      message: expect.stringMatching(
        /^network tenants \(compute\.docker\.network_name\) exists and is /,
      ) as string,
    });
  });

  it.each<[string, Record<string, string>]>([
    ['this operator made', marks()],
    ['the admin made by hand', { 'com.example/team': 'ops' }],
  ])('that %s is used', async (_what, labels) => {
    expect(networksOf(await applyBeside(labels), 'victim')).toEqual(['tenants']);
  });
});

describe('a network that somebody else makes of that name, in the same moment', () => {
  it.each<[string, Record<string, string>, Record<string, unknown>]>([
    ["a tenant's own", {}, {}],
    ["a tenant's own, where it bears another one's marks", { 'landlord.tenant_id': 'evil' }, {}],
    [
      "the operator's, where it bears a tenant's marks",
      { 'landlord.tenant_id': 'evil' },
      { network_name: 'tenants' },
    ],
  ])('%s, is not used', async (_what, Labels, docker) => {
    const engine = engineOf();
    const create = engine.createNetwork.bind(engine);
    engine.createNetwork = async (body, aborted) => {
      await create({ Name: body.Name, Labels }, aborted);
      return create(body, aborted);
    };
    await expect(sharedEngine(engine, { docker }).apply('victim')).rejects.toMatchObject({
      code: 'ProviderConflict',
    });
    expect(engine.containers.size).toBe(0);
  });
});

it('a tenant whose network cannot be had reads which pool is used up, and of no other tenant', async () => {
  const { apply } = sharedEngine(engineOf(), { docker: { network_pool: '10.0.0.0/28' } });
  await apply('victim');
  const pool = /network_pool 10\.0\.0\.0\/28 .*Widen compute\.docker\.network_pool/;
  const refusal = { code: 'ProvisionFailed', message: expect.stringMatching(pool) as string };
  await expect(apply('acme')).rejects.toMatchObject(refusal);
  await expect(apply('acme')).rejects.not.toMatchObject({
    message: expect.stringContaining('victim') as string,
  });
});
