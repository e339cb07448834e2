import { apiVersion } from '../../../src/api/names.ts';
import { containerName, messageOf, tenantWith } from '../look.ts';
import { defineStep, Unmet } from '../step.ts';

export const foreignContainer = defineStep({
  title: "Somebody else's container has the name that a new Tenant needs; it is left alone.",
  command: (stage) => {
    const image = stage.image('1');
    return (
      `docker run -d --name ${containerName(stage, 'guest')} ${image} && kubectl apply -f - <<< ` +
      `'{apiVersion: ${apiVersion}, kind: Tenant, metadata: {name: guest}, ` +
      `spec: {computeConfig: {docker: {image: "${image}"}}}}'`
    );
  },
  act: async (stage) => {
    const image = stage.image('1');
    const name = containerName(stage, 'guest');
    await stage.engine.run(name, image);
    const foreign = await stage.engine.inspect(name);
    const spec = { computeConfig: { docker: { image } } };
    await stage.objects.apply({ apiVersion, kind: 'Tenant', metadata: { name: 'guest' }, spec });
    return foreign;
  },
  expect: (stage) => ({
    text: 'guest is ProviderConflict',
    tenant: 'guest',
    look: () => tenantWith(stage, 'guest', 'ProviderConflict'),
  }),
  seen: async (stage, foreign, tenant) => {
    const name = containerName(stage, 'guest');
    await stage.objects.remove('Tenant', 'guest');
    while (stage.fleet.get('guest') !== undefined && !stage.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const after = await stage.engine.inspect(name);
    await stage.engine.remove(name);
    if (after?.id !== foreign?.id || after?.startedMs !== foreign?.startedMs || after?.running !== true) {
      throw new Unmet('the foreign container runs as before', 'guest', 'it was changed or removed');
    }
    return `Stalled, ProviderConflict: ${messageOf(tenant)}; the container runs on, even after guest was deleted`;
  },
});
