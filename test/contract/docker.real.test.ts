import { inject } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { dockerTestBench } from '../compute/providers/docker/docker-bench.ts';
import { writes } from '../compute/providers/docker/memory-engine.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { describeProviderContract } from './provider-contract.ts';

describeProviderContract('docker', dockerDefinition, async () => {
  const registry = { address: inject('registryAddress') };
  const images = {
    first: await pushImage(registry, { repository: 'contract', tag: '1' }),
    second: await pushImage(registry, { repository: 'contract', tag: '2' }),
  };
  const bench = dockerTestBench({ image: images.first });
  return {
    provider: (instance) => bench.provider(instance === undefined ? {} : { instance }),
    spec: (tenantId, state) => bench.spec(tenantId, { image: images[state], volumes: ['data:/tmp/data'] }),
    writes: () => bench.calls.filter((call) => writes.includes(call)).length,
    async occupy(tenantId) {
      const name = `${bench.prefix}-tenant-${tenantId}`;
      await bench.pull(images.first);
      await bench.createForeign(name, images.first);
      return () => bench.look(name);
    },
    silent: undefined,
    close: () => bench.close(),
  };
});
