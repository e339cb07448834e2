import { randomBytes } from 'node:crypto';
import { isConflict } from '../../src/kube/client/kube-api-error.ts';
import type { KubeClient } from '../../src/kube/client/kube-client.ts';
import type { KubeObject } from '../../src/kube/client/kube-object.ts';
import { resource } from '../../src/kube/client/resource.ts';
import type { Resource } from '../../src/kube/client/resource.ts';

export interface Widget extends KubeObject {
  spec?: { size?: number };
  status?: { phase?: string };
}

const widgetGroup = 'kube.landlord.test';

const widgetSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

interface CustomResourceDefinition extends KubeObject {
  status?: { conditions?: { type: string; status: string }[] };
}

/** A custom resource of the tests' own, with a status subresource, served when this resolves. */
export async function defineWidgets(client: KubeClient): Promise<Resource<Widget>> {
  const definitions = resource<CustomResourceDefinition>(client, {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    plural: 'customresourcedefinitions',
    namespaced: false,
  });
  const name = `widgets.${widgetGroup}`;
  const spec = {
    group: widgetGroup,
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: widgetSchema },
        subresources: { status: {} },
      },
    ],
  };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec,
  };
  // The files that use it run beside each other.
  if (!(await definitions.get(name)))
    await definitions.create(definition).catch((error: unknown) => {
      if (!isConflict(error)) throw error;
    });
  for (;;) {
    const conditions = (await definitions.get(name))?.status?.conditions ?? [];
    if (conditions.some(({ type, status }) => type === 'Established' && status === 'True')) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return resource<Widget>(client, { group: widgetGroup, version: 'v1', plural: 'widgets', namespaced: true });
}

export function newWidget(namespace: string, name: string, size = 1) {
  return { apiVersion: `${widgetGroup}/v1`, kind: 'Widget', metadata: { name, namespace }, spec: { size } };
}

/** A namespace of the test's own. */
export async function createNamespace(client: KubeClient): Promise<string> {
  const name = `kube-${randomBytes(4).toString('hex')}`;
  const namespaces = resource<KubeObject>(client, {
    group: '',
    version: 'v1',
    plural: 'namespaces',
    namespaced: false,
  });
  await namespaces.create({ metadata: { name } });
  return name;
}
