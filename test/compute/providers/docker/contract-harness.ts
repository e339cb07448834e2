import { dockerProvider } from '../../../../src/compute/providers/docker/provider.ts';
import { context, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine, writes } from './memory-engine.ts';
import { abortable, silent } from '../../../contract/engine-signals.ts';
import type { ContractCase, ContractHarness } from '../../../contract/provider-contract.ts';

export const contractCases: readonly ContractCase[] = [
  { name: 'docker, on an engine in memory,', makeHarness: inMemory },
];

async function inMemory(): Promise<ContractHarness> {
  const engine = memoryEngine(['app:1', 'app:2']);
  const { block, policy } = settings();
  const signal = new AbortController().signal;
  return {
    provider: (instance = 'default') =>
      dockerProvider(abortable(engine), block, policy, context({ instance })),
    spec: (tenantId, state) =>
      tenantSpec(
        { image: state === 'first' ? 'app:1' : 'app:2', volumes: ['data:/data'] },
        { tenantId, tenant: { namespace: 'team-a', name: tenantId, uid: 'uid' } },
      ),
    writes: () => engine.calls.filter((call) => writes.includes(call)).length,
    async occupy(tenantId) {
      const name = `landlord-tenant-${tenantId}`;
      await engine.createContainer(name, { Image: 'app:1' }, signal);
      return () => engine.inspectContainer(name, signal);
    },
    silent: () => dockerProvider(silent(engine), block, policy, context()),
    close: async () => undefined,
  };
}
