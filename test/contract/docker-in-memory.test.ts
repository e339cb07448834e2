import { dockerProvider } from '../../src/compute/providers/docker/provider.ts';
import { context, settings, tenantSpec } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine, writes } from '../compute/providers/docker/memory-engine.ts';
import { abortable, silent } from './engine-signals.ts';
import { describeProviderContract } from './provider-contract.ts';

describeProviderContract('docker, on an engine in memory,', async () => {
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
});
