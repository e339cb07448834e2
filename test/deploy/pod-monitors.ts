import { kubeRequest } from '../../dev/kube-request.ts';
import { until } from '../until.ts';
import { apply } from './manifests.ts';
import type { Manifest } from './manifests.ts';

const text = { type: 'string' };
const spec = {
  type: 'object',
  required: ['podMetricsEndpoints', 'selector'],
  properties: {
    selector: {
      type: 'object',
      properties: { matchLabels: { type: 'object', additionalProperties: text } },
    },
    podMetricsEndpoints: {
      type: 'array',
      items: { type: 'object', properties: { port: text, path: text, interval: text } },
    },
  },
};

/** What of the Prometheus Operator's CRD a manifest here may use. */
const definition: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'podmonitors.monitoring.coreos.com' },
  spec: {
    group: 'monitoring.coreos.com',
    scope: 'Namespaced',
    names: { kind: 'PodMonitor', listKind: 'PodMonitorList', plural: 'podmonitors', singular: 'podmonitor' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
      },
    ],
  },
};

/** Has the apiserver serve PodMonitors, as one beside a Prometheus Operator does. */
export async function servePodMonitors(kubeconfigPath: string): Promise<void> {
  await apply(kubeconfigPath, [definition]);
  const path = '/apis/monitoring.coreos.com/v1/namespaces/default/podmonitors';
  await until('PodMonitors are served', async () => {
    const { status } = await kubeRequest(kubeconfigPath, { path });
    return status === 200;
  });
}
