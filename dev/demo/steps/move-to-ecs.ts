import { providerKeys } from '../../../src/api/names.ts';
import { failedLooks, namedBoth, watchEndpoints } from '../endpoint-watch.ts';
import type { EndpointHistory } from '../endpoint-watch.ts';
import { containersOf, endpointOf, historyOf, httpGet, taskContainersOf, tenantWith } from '../look.ts';
import { defineStep, Unmet } from '../step.ts';

const [label] = providerKeys;
const tenantName = 'nomad';

export const moveToEcs = defineStep({
  title: 'The same Tenant moves on from Docker to ECS, and is reachable all the time.',
  command: () => `kubectl label tenant ${tenantName} ${label}=ecs --overwrite`,
  act: async (stage) => {
    const watch = watchEndpoints(stage, tenantName);
    await stage.objects.patch('Tenant', tenantName, { metadata: { labels: { [label]: 'ecs' } } });
    return watch;
  },
  expect: (stage) => ({
    text: `${tenantName} is Ready on ecs, its endpoint answers, and nothing is left on docker`,
    tenant: tenantName,
    look: async () => {
      const tenant = tenantWith(stage, tenantName, 'Running');
      const { status } = tenant ?? {};
      if (tenant === undefined || status?.computeProvider !== 'ecs') return undefined;
      if (status.previousPlacements !== undefined || (await containersOf(stage, tenantName)).length > 0)
        return undefined;
      const url = endpointOf(tenant);
      await httpGet(url);
      const [task] = await taskContainersOf(stage, tenantName);
      return task?.state === 'running' ? { url, container: task.name } : undefined;
    },
  }),
  seen: async (stage, watch, { url, container }) => {
    const history = await watch.stop();
    checkReachable(history);
    return (
      `the service's task is the container ${container} at ${url}; an endpoint in the status answered in each of ` +
      `${history.looks.length} looks, and both stood there before the old one went; ` +
      `${tenantName} was ${historyOf(stage, tenantName)}`
    );
  },
});

function checkReachable(history: EndpointHistory): void {
  const failed = failedLooks(history);
  if (failed.length > 0) {
    const named = [...new Set(failed.map(({ named }) => named.join(' and ') || 'none'))].join('; ');
    const seen = `in ${failed.length} of ${history.looks.length} looks none did; the status named ${named}`;
    throw new Unmet('an endpoint in the status answers at every moment', tenantName, seen);
  }
  if (namedBoth(history)) return;
  const seen = history.statuses.map((named) => named.join(' and ') || 'none').join(', then ');
  throw new Unmet('the status names the endpoints of both places before the old one goes', tenantName, seen);
}
