import { endpointOf, historyOf, httpGet, tenantWith } from '../look.ts';
import { defineStep } from '../step.ts';

const newToken = 'rotated';
const patch = { stringData: { token: newToken } };

export const rotatedSecret = defineStep({
  title: 'A Secret is rotated, and the Tenant that reads it rolls.',
  command: () => `kubectl patch secret shop --type merge -p '${JSON.stringify(patch)}'`,
  act: (stage) => stage.objects.patch('Secret', 'shop', patch),
  expect: (stage) => ({
    text: 'shop is Ready and its container has the new value',
    tenant: 'shop',
    look: async () => {
      const tenant = tenantWith(stage, 'shop', 'Running');
      if (tenant === undefined) return undefined;
      const url = endpointOf(tenant);
      return (await httpGet(`${url}/env/SHOP_TOKEN`)) === newToken || undefined;
    },
  }),
  seen: (stage) => `SHOP_TOKEN in the container is the new one; shop was ${historyOf(stage, 'shop')}`,
});
