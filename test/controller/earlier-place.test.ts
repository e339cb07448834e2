import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { describe, expect, test } from 'vitest';
import type { Provider } from '../../src/compute/provider.ts';
import { dockerTenantBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { drivenDocker, settings } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { startController } from './controller-fixture.ts';
import type { FixtureOptions } from './controller-fixture.ts';

const specSchema = tenantSpecSchema({ docker: dockerTenantBlock });

const onPort = {
  computeConfig: { docker: { image: 'app:1', ports: [{ container_port: 80, host_port: 8080 }] } },
};

/** The real controller over the real provider, on an engine in memory. */
async function operator(
  engine: ReturnType<typeof memoryEngine>,
  label_prefix: string,
  over: FixtureOptions = {},
) {
  const { block } = settings({ label_prefix });
  const provider = drivenDocker(engine, settings({ label_prefix })).bare as unknown as Provider;
  const enabled = { definition: dockerDefinition, provider, block };
  return startController([], {
    specSchema,
    providers: new Map([['docker', enabled]]),
    ...over,
  });
}

describe('a move to a place whose host port the earlier one holds', () => {
  test('waits for consent to the outage, and with it comes to its end', async () => {
    const engine = memoryEngine(['app:1']);
    const states = () => [...engine.containers.values()].map(({ name, state }) => `${name} ${state}`);
    const before = await operator(engine, 'landlord');
    await before.create('acme', onPort);
    await before.pass(5_000);
    expect(await before.conditions('acme')).toEqual(['Ready=True/Running']);
    await before.stop();

    const after = await operator(engine, 'll', { apiserver: before.apiserver });
    await after.pass(60_000);
    expect(await after.conditions('acme')).toContain('Ready=False/ApprovalRequired');
    expect(states()).toEqual(['landlord-tenant-team-a-acme-9201d5e7 running']);
    const { plan } = (await after.get('acme')).status ?? {};
    expect(plan).toMatchObject({ effect: 'outage' });

    await after.patch('acme', { metadata: { annotations: { 'landlord.dev/approve': plan?.digest } } });
    await after.pass(60_000);
    expect(await after.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(states()).toEqual(['ll-tenant-team-a-acme-9201d5e7 running']);
    expect((await after.get('acme')).status?.previousPlacements).toBeUndefined();
  });
});
