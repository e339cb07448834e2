import { containersOf, tenantLabel } from '../look.ts';
import { defineStep } from '../step.ts';
import type { Stage } from '../stage.ts';

/** Names of all that the engine holds of a tenant. */
async function heldOf(stage: Stage, tenant: string): Promise<string[]> {
  const label = tenantLabel(stage, tenant);
  const containers = await containersOf(stage, tenant);
  const others = await Promise.all([stage.engine.networks(label), stage.engine.volumes(label)]);
  return [...containers.map(({ name }) => name), ...others.flat()];
}

export const deletion = defineStep({
  title: 'A Tenant is deleted, and nothing of it is left on the engine.',
  command: () => 'kubectl delete tenant shop',
  act: async (stage) => {
    const before = await heldOf(stage, 'shop');
    await stage.objects.remove('Tenant', 'shop');
    return before;
  },
  expect: (stage) => ({
    text: 'shop is gone, and so are its containers and its network',
    tenant: 'shop',
    look: async () => {
      if (stage.fleet.get('shop') !== undefined) return undefined;
      return (await heldOf(stage, 'shop')).length === 0 || undefined;
    },
  }),
  seen: (_stage, before) => `gone from the engine: ${before.join(', ')}`,
});
