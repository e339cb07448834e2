import type { Provider } from '../../../../src/compute/provider.ts';
import type { Engine } from '../../../../src/compute/providers/docker/engine/engine.ts';
import { dockerOn, dockerProvider } from '../../../../src/compute/providers/docker/provider.ts';
import { context, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine, writes } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';
import { abortable, silent } from '../../../contract/engine-signals.ts';
import type { ContractCase, ContractHarness } from '../../../contract/provider-contract.ts';

export const contractCases: readonly ContractCase[] = [
  { name: 'docker, on an engine in memory,', makeHarness: inMemory },
  { name: 'docker, on an engine in memory that has a name,', makeHarness: onNamedEngine },
];

interface Bench {
  readonly engine: MemoryEngine;
  readonly provider: (engine: Engine, instance?: string) => Provider;
  /** What each spec says besides. */
  readonly config?: Readonly<Record<string, unknown>>;
}

async function inMemory(): Promise<ContractHarness> {
  const { block, policy } = settings();
  return harness({
    engine: memoryEngine(['app:1', 'app:2']),
    provider: (engine, instance = 'default') => dockerProvider(engine, block, policy, context({ instance })),
  });
}

async function onNamedEngine(): Promise<ContractHarness> {
  const { block, policy } = settings({ host: 'unix:///own', engines: { edge: { host: 'unix:///edge' } } });
  const own = abortable(memoryEngine([], 0, 'own'));
  return harness({
    engine: memoryEngine(['app:1', 'app:2'], 0, 'edge'),
    config: { engine: 'edge' },
    provider: (edge, instance = 'default') => {
      const connect = (host: string): Engine => (host === 'unix:///edge' ? edge : own);
      return dockerOn(block, policy, context({ instance, connect }));
    },
  });
}

function harness({ engine, provider, config = {} }: Bench): ContractHarness {
  const signal = new AbortController().signal;
  return {
    provider: (instance) => provider(abortable(engine), instance),
    spec: (tenantId, state) =>
      tenantSpec(
        { image: state === 'first' ? 'app:1' : 'app:2', volumes: ['data:/data'], ...config },
        { tenantId, tenant: { namespace: 'team-a', name: tenantId, uid: 'uid' } },
      ),
    writes: () => engine.calls.filter((call) => writes.includes(call)).length,
    async occupy(tenantId) {
      const name = `landlord-tenant-${tenantId}`;
      await engine.createContainer(name, { Image: 'app:1' }, signal);
      return () => engine.inspectContainer(name, signal);
    },
    silent: () => provider(silent(engine)),
    close: async () => undefined,
  };
}
