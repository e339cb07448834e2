import { ecsProvider } from '../../../../src/compute/providers/ecs/provider.ts';
import { containerSpec, context, settings, tenantSpec } from './ecs-fixture.ts';
import { memoryEcs, writesOf } from './memory-ecs.ts';
import { abortable, silent } from '../../../contract/engine-signals.ts';
import type { ContractCase, ContractHarness } from '../../../contract/provider-contract.ts';

export const contractCases: readonly ContractCase[] = [
  { name: 'ecs, in memory,', makeHarness: async () => inMemory({}, true) },
  { name: 'ecs, in memory, slow to drain,', makeHarness: async () => inMemory({ drainsFor: 2 }, false) },
];

function inMemory(options: Parameters<typeof memoryEcs>[0], containers: boolean): ContractHarness {
  const ecs = memoryEcs(options);
  const other = ecs.addTaskDefinition({ family: 'tenant-app', revision: 13 });
  const { block, policy } = settings();
  return {
    provider: (instance = 'default') => ecsProvider(abortable(ecs), block, policy, context({ instance })),
    spec: (tenantId, state) => {
      const over = { tenantId, tenant: { namespace: 'team-a', name: tenantId, uid: 'uid' } };
      const image = state === 'first' ? 'app:1' : 'app:2';
      if (containers) return tenantSpec({}, { ...over, containers: [containerSpec('app', { image })] });
      return tenantSpec(state === 'first' ? {} : { task_definition_arn: other }, over);
    },
    writes: () => writesOf(ecs).length,
    async occupy(tenantId) {
      const serviceName = `landlord-tenant-${tenantId}`;
      const { signal } = new AbortController();
      const { cluster_arn: cluster, task_definition_arn: taskDefinition } = block;
      await ecs.createService({ region: 'us-west-2' }, { cluster, serviceName, taskDefinition }, signal);
      return async () => structuredClone(ecs.service(serviceName)?.tags);
    },
    silent: () => ecsProvider(silent(ecs), block, policy, context()),
    close: async () => undefined,
  };
}
