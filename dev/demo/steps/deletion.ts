import { containersOf, taskContainersOf, tenantLabel } from '../look.ts';
import { defineStep } from '../step.ts';
import type { Stage } from '../stage.ts';

const onDocker = 'shop';
const onEcs = 'billing';

/** Names of all that the engine holds of a tenant. */
async function heldOf(stage: Stage, tenant: string): Promise<string[]> {
  const label = tenantLabel(stage, tenant);
  const containers = await containersOf(stage, tenant);
  const others = await Promise.all([stage.engine.networks(label), stage.engine.volumes(label)]);
  return [...containers.map(({ name }) => name), ...others.flat()];
}

export const deletion = defineStep({
  title: 'Two Tenants are deleted, and nothing of them is left on the engine or in the ECS cluster.',
  command: () => `kubectl delete tenant ${onDocker} ${onEcs}`,
  act: async (stage) => {
    const before = await heldOf(stage, onDocker);
    const tasks = (await taskContainersOf(stage, onEcs)).map(({ name }) => name);
    for (const tenant of [onDocker, onEcs]) await stage.objects.remove('Tenant', tenant);
    return { before, tasks };
  },
  expect: (stage, { tasks }) => ({
    text: `${onDocker} and ${onEcs} are gone, and so are their containers, network and service`,
    get tenant() {
      return stage.fleet.get(onDocker) === undefined ? onEcs : onDocker;
    },
    look: async () => {
      if ([onDocker, onEcs].some((tenant) => stage.fleet.get(tenant) !== undefined)) return undefined;
      if ((await heldOf(stage, onDocker)).length > 0) return undefined;
      for (const task of tasks) if ((await stage.engine.inspect(task)) !== undefined) return undefined;
      const service = (await stage.ecs.serviceStatus(onEcs)) ?? 'not there';
      return service === 'ACTIVE' || service === 'DRAINING' ? undefined : service;
    },
  }),
  seen: (stage, { before, tasks }, service) =>
    `gone from the engine: ${[...before, ...tasks].join(', ')}; the service ${stage.ecs.serviceName(onEcs)} is ${service}`,
});
