import { z } from 'zod';
import { computeResources, container } from './compute-fields.ts';
import type { Container } from './compute-fields.ts';
import { dnsLabel, maxContainers, maxPorts, maxReplicas, maxValues } from './bounded.ts';
import { lifecycleRules } from './container/lifecycle-fields.ts';
import { listMap, withRules } from './rules.ts';
import type { Rule } from './rules.ts';
import { tenantStatus } from './status.ts';
import type { TenantStatus } from './status.ts';
import { localSecretReference } from './container/value-sources.ts';
import { mountRules, volumes } from './container/volume-fields.ts';
import { release, releaseRules } from './container/release-fields.ts';

/** A provider's name and the schema of its block in spec.computeConfig. */
export type TenantBlocks = Readonly<Record<string, z.ZodType>>;

const providerName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be the name of a provider');

const tenantIdMessage = "is immutable: it can't be added, changed or dropped";

/** What may be done to what runs, and by whose leave. */
const policies = {
  suspend: z
    .boolean()
    .default(false)
    .describe('While true nothing is changed on the engine; deletion still runs.'),
  mode: z
    .enum(['Manage', 'Observe'])
    .default('Manage')
    .describe(
      'Observe: what runs is shown and compared with the spec, and nothing is ever changed, created or removed, be it by ' +
        'this spec or by the deletion of the Tenant.',
    ),
  adopt: z
    .boolean()
    .default(false)
    .describe(
      "true: what runs under the names that this spec gives, and was not made by Landlord, is taken over, as the operator's " +
        "policy allows it. From then on it is the Tenant's: it is changed, replaced and deleted with it.",
    ),
  approval: z
    .enum(['Never', 'Destructive', 'Always'])
    .default('Destructive')
    .describe(
      'What waits for consent by the annotation landlord.dev/approve. Destructive: what ends what runs before ' +
        'its successor is known to be good, or loses data; Always: every change to what runs; Never: nothing.',
    ),
  volumePolicy: z
    .enum(['Retain', 'Delete'])
    .default('Retain')
    .describe('Delete: deleting the Tenant removes its persistent volumes. Nothing else ever does.'),
  deletionPolicy: z
    .enum(['Delete', 'Retain'])
    .default('Delete')
    .describe('Retain: deleting the Tenant leaves its workload as it is; applying it again takes it back.'),
  unhealthyPolicy: z
    .enum(['Report', 'Restart'])
    .default('Report')
    .describe(
      'Restart: a container that fails its health check is restarted, at once and then ever more slowly, if its restart ' +
        'policy is always or unless-stopped. ECS replaces unhealthy tasks by itself, whatever this says.',
    ),
  driftPolicy: z
    .enum(['Correct', 'Report'])
    .default('Correct')
    .describe('Report: changes made behind the operator are shown in status.drift and left alone.'),
};

interface Together {
  readonly containers?: readonly Container[] | undefined;
}

const samePortName = 'must not have two ports of one name: endpoints are called by it';

/** Bounds of what a tenant's containers have together. */
const togetherRules: readonly Rule<Together>[] = [
  {
    rule:
      '!has(self.containers) || self.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.name) || ' +
      'c.ports.exists_one(q, has(q.name) && q.name == p.name)))',
    message: samePortName,
    fieldPath: '.containers',
    holds: ({ containers = [] }) => containers.every((container) => areDistinct(portNames(container))),
  },
  {
    // Name by name, over all of them, it would cost more than the apiserver allows.
    rule:
      '!has(self.containers) || self.containers.all(c, self.containers.all(d, c.name == d.name || !has(c.ports) || ' +
      '!has(d.ports) || !sets.intersects(c.ports.filter(p, has(p.name)).map(p, p.name), ' +
      'd.ports.filter(p, has(p.name)).map(p, p.name))))',
    message: samePortName,
    fieldPath: '.containers',
    holds: ({ containers = [] }) => areDistinct(containers.flatMap((one) => [...new Set(portNames(one))])),
  },
  {
    rule: `!has(self.containers) || self.containers.map(c, has(c.ports) ? size(c.ports) : 0).sum() <= ${maxPorts}`,
    message: `must have at most ${maxPorts} ports together`,
    fieldPath: '.containers',
    holds: ({ containers = [] }) => sum(containers.map(({ ports = [] }) => ports.length)) <= maxPorts,
  },
  {
    rule:
      '!has(self.containers) || self.containers.map(c, ' +
      '(has(c.command) ? c.command.map(text, size(text)).sum() : 0) + ' +
      '(has(c.args) ? c.args.map(text, size(text)).sum() : 0) + ' +
      '(has(c.env) ? c.env.map(one, has(one.value) ? size(one.value) : 0).sum() : 0)' +
      `).sum() <= ${maxValues}`,
    message: `must have at most ${maxValues} characters of commands, arguments and values of variables together`,
    fieldPath: '.containers',
    holds: ({ containers = [] }) => sum(containers.flatMap(valueLengths)) <= maxValues,
  },
];

function valueLengths({ command = [], args = [], env = [] }: Container): number[] {
  return [...command, ...args, ...env.map(({ value = '' }) => value)].map(({ length }) => length);
}

function portNames({ ports = [] }: Container): readonly string[] {
  return ports.flatMap(({ name }) => name ?? []);
}

function areDistinct(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

const replicas = z
  .int()
  .min(0)
  .max(maxReplicas)
  .optional()
  .describe(
    'How many of all containers together run: sets of containers (docker), tasks (ecs). Also what kubectl scale and ' +
      'autoscalers set. Goes before computeConfig.ecs.desired_count. Left out: 1 set; on ECS what that says, or its ' +
      'autoscaling.',
  );

/**
 * The schema of `Tenant.spec`, with one typed block per provider in computeConfig. Each one compiles its parser with
 * its first use, which takes longer than many parses: one is for all who need it.
 */
export function tenantSpecSchema(blocks: TenantBlocks) {
  const computeConfig = z.strictObject(
    Object.fromEntries(
      Object.entries(blocks).map(([name, block]) => [name, block.optional().meta(block.meta() ?? {})]),
    ),
  );
  return withRules(
    z.strictObject({
      tenantId: dnsLabel
        .optional()
        .describe(
          'Name of the tenant on the engine; begins with NAMESPACE-. Default: NAMESPACE-NAME, with a hash where that could ' +
            "be another one's. Immutable. " +
            'Two Tenants with one id: the older one wins, the other is ProviderConflict.',
        ),
      computeProvider: providerName
        .optional()
        .describe(
          'Provider to run on. Goes before labels, annotations and everything else that chooses one.',
        ),
      computeConfig: computeConfig
        .optional()
        .describe(
          "One block per provider. The chosen provider's block is merged over the operator's defaults: " +
            'objects by key, lists and scalars replace, null unsets.',
        ),
      containers: listMap(z.array(container).min(1).max(maxContainers), ['name'])
        .optional()
        .describe("Containers that run on every provider. They win over the block's image, env and ports."),
      replicas,
      volumes,
      release,
      resources: computeResources.optional().describe('Limits of each container that names none of its own.'),
      imagePullSecrets: listMap(z.array(localSecretReference).max(16), ['name'])
        .optional()
        .describe("kubernetes.io/dockerconfigjson Secrets in the tenant's own namespace."),
      imagePullPolicy: z
        .enum(['IfNotPresent', 'Always'])
        .default('IfNotPresent')
        .describe(
          'Always: what a tag means is looked up for each generation and each requested reconcile, and what runs is made of ' +
            'that very content. IfNotPresent: of what the engine has, where it has it. ECS looks up tags at each deployment.',
        ),
      ...policies,
    }),
    [
      {
        rule: 'has(self.tenantId) == has(oldSelf.tenantId) && (!has(self.tenantId) || self.tenantId == oldSelf.tenantId)',
        message: tenantIdMessage,
        fieldPath: '.tenantId',
      },
      ...togetherRules,
      ...lifecycleRules,
      ...mountRules,
      ...releaseRules,
    ],
  );
}

export type TenantSpecSchema = ReturnType<typeof tenantSpecSchema>;

export type TenantSpec = Omit<z.output<TenantSpecSchema>, 'computeConfig'> & {
  computeConfig?: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>> | undefined;
};

/** The parts of Kubernetes' ObjectMeta that Landlord reads. */
export interface TenantMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly finalizers?: string[];
}

/** A Tenant as the apiserver serves it. Its spec is `unknown` until `tenantSpecSchema` has parsed it. */
export interface Tenant {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: TenantMetadata;
  readonly spec?: unknown;
  readonly status?: TenantStatus;
}

/** Whether nothing is ever to be done for it, whatever else its spec says, which may be invalid. */
export function isOnlyObserved({ spec }: Pick<Tenant, 'spec'>): boolean {
  return (spec as { mode?: unknown } | null | undefined)?.mode === 'Observe';
}

/** How many replicas its spec asks for, which may be invalid. Undefined: it leaves that to others. */
export function replicasOf({ spec }: Pick<Tenant, 'spec'>): unknown {
  return (spec as { replicas?: unknown } | null | undefined)?.replicas;
}

/** The whole object, for the CRD and for checks of manifests. */
export function tenantSchema(blocks: TenantBlocks) {
  return z.strictObject({
    apiVersion: z.string().optional(),
    kind: z.string().optional(),
    metadata: z.looseObject({}).optional(),
    spec: tenantSpecSchema(blocks).describe('What should run.'),
    status: tenantStatus.optional().describe('What Landlord observed. Written by the operator alone.'),
  });
}
