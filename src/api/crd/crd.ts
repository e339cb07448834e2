import { finalizer, group, kind, plural, reconcileRequestedAt, version } from '../names.ts';
import { structuralSchema } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { tenantSchema } from '../tenant.ts';
import type { TenantBlocks } from '../tenant.ts';

const condition = (type: string, field: string): string =>
  `.status.conditions[?(@.type=="${type}")].${field}`;

/** kubectl shows those of priority 0; `-o wide` all. */
const printerColumns = [
  { name: 'Ready', jsonPath: condition('Ready', 'status') },
  { name: 'Status', jsonPath: condition('Ready', 'reason') },
  { name: 'Provider', jsonPath: '.status.computeProvider' },
  { name: 'State', jsonPath: '.status.compute.state' },
  { name: 'Running', jsonPath: '.status.compute.replicas' },
  { name: 'Health', jsonPath: '.status.compute.health', priority: 1 },
  { name: 'Replicas', jsonPath: '.status.replicas', priority: 1, type: 'integer' },
  { name: 'Drift', jsonPath: condition('Drifted', 'status'), priority: 1 },
  { name: 'Tenant ID', jsonPath: '.status.tenantId', priority: 1 },
  { name: 'Endpoint', jsonPath: '.status.compute.endpoints[0].url', priority: 1 },
  { name: 'Message', jsonPath: condition('Ready', 'message'), priority: 1 },
].map((column) => ({ type: 'string', ...column }));

/**
 * With the CRD go all Tenants, and what runs for them: what installed it must not remove it along the way. Helm and Flux have
 * one word for that; to Argo CD, which has two, it neither goes for being left out nor with the Application.
 */
const kept = {
  'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
  'helm.sh/resource-policy': 'keep',
  'kustomize.toolkit.fluxcd.io/prune': 'disabled',
};

/** The CustomResourceDefinition of Tenant with the given providers' blocks. */
export function tenantCrd(blocks: TenantBlocks) {
  const { properties = {} } = structuralSchema(tenantSchema(blocks));
  const { spec, status } = properties;
  const schema: JsonSchema = {
    type: 'object',
    description:
      'A Tenant is a workload that Landlord runs on one compute provider. ' +
      `The annotation ${reconcileRequestedAt} asks for a reconcile; the finalizer ${finalizer} stays ` +
      'until nothing of the tenant is left on its engine.',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: spec ?? {},
      status: { ...status, default: { observedGeneration: -1 } },
    },
    required: ['spec'],
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, annotations: kept },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: 'tenant',
        shortNames: ['tn'],
        categories: ['landlord'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: [
            ...printerColumns,
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  };
}
