import { providerKeys } from '../../../src/api/names.ts';
import { containersOf, historyOf, tenantWith } from '../look.ts';
import { defineStep } from '../step.ts';

const [label] = providerKeys;

export const move = defineStep({
  title: 'A Tenant moves from the mock provider to Docker by an edit of its label.',
  command: () => `kubectl label tenant nomad ${label}=docker --overwrite`,
  act: (stage) => stage.objects.patch('Tenant', 'nomad', { metadata: { labels: { [label]: 'docker' } } }),
  expect: (stage) => ({
    text: 'nomad is Ready on docker, and nothing is left on mock',
    tenant: 'nomad',
    look: async () => {
      const status = tenantWith(stage, 'nomad', 'Running')?.status;
      const hasMoved = status?.computeProvider === 'docker' && status.previousPlacements === undefined;
      const [container] = await containersOf(stage, 'nomad');
      return hasMoved && container?.state === 'running' ? container.name : undefined;
    },
  }),
  seen: (stage, _acted, container) =>
    `the engine runs ${container}; nomad was ${historyOf(stage, 'nomad')}; its generation did not change`,
});
