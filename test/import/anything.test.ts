import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tenantSchema } from '../../src/api/tenant.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { configRows } from '../../src/import/docker/config-rows.ts';
import { hostRows } from '../../src/import/docker/host-rows.ts';
import { importDocker } from '../../src/import/docker/import-docker.ts';
import { readEngine } from '../../src/import/docker/read-engine.ts';
import { schema } from '../convert/compose-fixture.ts';
import { engineWith } from './found-fixture.ts';

/** What an engine, or one that speaks like it, may show at a key. */
const value = fc.jsonValue({ maxDepth: 2 });
const anyOf = (rows: object) =>
  fc.dictionary(fc.constantFrom(...Object.keys(rows), 'Brandnew'), value, { maxKeys: 6 });
const mount = fc.record(
  {
    Type: fc.oneof(fc.constantFrom('bind', 'volume', 'tmpfs'), value),
    Source: value,
    Name: value,
    Destination: fc.oneof(fc.constant('/data'), value),
    Mode: value,
    Propagation: value,
  },
  { requiredKeys: [] },
);

test('whatever an engine shows makes a Tenant that the schema takes, or a refusal', async () => {
  const tenants = tenantSchema(tenantBlocks);
  await fc.assert(
    fc.asyncProperty(
      anyOf(configRows),
      anyOf(hostRows),
      fc.array(mount, { maxLength: 3 }),
      async (config, host, mounts) => {
        const engine = engineWith([{ name: 'web', config, host, mounts }], {});
        const wanted = { names: ['web'], project: undefined };
        const found = await readEngine(engine, wanted, new AbortController().signal);
        const { manifests, notes } = importDocker('acme', found, schema);
        const isTaken = manifests.every((tenant) => tenants.safeParse(tenant).success);
        const isRefused = notes.some(({ kind }) => kind === 'refused');
        expect([isTaken, isRefused]).toEqual([true, manifests.length === 0]);
      },
    ),
    // Nothing that can be read as a number, or as a text.
    {
      numRuns: 500,
      examples: [[{}, { Memory: { toString: 0 }, CpuQuota: { valueOf: null, toString: 0 } }, []]],
    },
  );
});
