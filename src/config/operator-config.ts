import { z } from 'zod';
import { isLabelSelector } from '../compute/label-selector.ts';
import { commonPolicyShape, identityPolicyShape } from '../compute/policy.ts';
import type { ProviderDefinition } from '../compute/provider.ts';
import { duration } from '../api/duration.ts';
import { withoutDefaults } from '../api/crd/without-defaults.ts';

const listenAddress = z
  .string()
  .regex(/^.*:[0-9]{1,5}$/, { error: 'must be HOST:PORT or :PORT', abort: true })
  .refine((address) => Number(address.split(':').at(-1)) <= 65_535, 'must have a port of at most 65535');

/** The schema of the operator's config file. The reference is generated from it. */
export function operatorConfigSchema(providers: readonly ProviderDefinition[]) {
  const blocks = providers.map(({ name, operatorBlock }) => [name, operatorBlock.optional()] as const);
  const policies = providers.map(({ name, policyBlock }) => [name, policyBlock.prefault({})] as const);
  const policy = z.strictObject({
    ...commonPolicyShape,
    ...identityPolicyShape,
    ...Object.fromEntries(policies),
  });
  const namespaces = namespacePolicy(policy);
  return z.strictObject({
    instance: z
      .string()
      .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a DNS label')
      .default('default')
      .describe(
        'Owner mark on everything created; two instances share one engine without touching each other.',
      ),
    cluster_id: clusterId,
    hash_key_file: hashKeyFile,
    compute: z
      .strictObject(Object.fromEntries(blocks))
      .refine((compute) => Object.values(compute).some((block) => block !== undefined), {
        message: `no provider is enabled; add a block for one of: ${providers.map(({ name }) => name).join(', ')}`,
      })
      .describe('The providers. One is enabled by the presence of its block.'),
    controller: controller
      .extend({ rollout: rollout(providers) })
      .prefault({})
      .describe('How Tenants are reconciled.'),
    leader_election: leaderElection.prefault({}).describe('For more than one replica of the operator.'),
    server: z
      .strictObject({
        address: listenAddress
          .default(':8080')
          .describe('Address of /healthz, /readyz and /metrics; port 0 picks a free one.'),
        metrics_address: z
          .union([z.literal(''), listenAddress], { error: 'must be HOST:PORT or :PORT, or empty' })
          .default('')
          .describe('Address of /metrics, which is served there alone then. Empty: server.address.'),
      })
      .prefault({})
      .describe('The HTTP server.'),
    log: z
      .strictObject({
        level: z
          .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
          .default('info')
          .describe('Lowest level.'),
        format: z
          .enum(['json', 'text'])
          .default('json')
          .describe('json: a line of JSON per entry; text: for people.'),
      })
      .prefault({})
      .describe('The log, on standard output.'),
    policy: policy.extend({ namespaces }).prefault({}).describe('What tenants may ask for.'),
  });
}

const clusterId = z
  .string()
  .regex(
    /^(?:[a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?)?$/,
    'must be at most 63 lower-case letters, digits, - and ., with a letter or digit at both ends, or empty',
  )
  .default('')
  .describe(
    'The name of this Kubernetes cluster, as an owner mark on everything created; no other cluster with the same engine or ' +
      'account may have it. Empty: the UID of the namespace kube-system, which the operator then needs the right to get. ' +
      'What bears another name is taken for that of another cluster: where Tenants run already, name that UID here, or add ' +
      "it to the provider's adopt_clusters.",
  );

const hashKeyFile = z
  .string()
  .default('')
  .describe(
    'File with the key (32 random bytes or more) of the hashes in which values of Secrets take part. ' +
      "Empty: the Secret `landlord-hash-key` in the operator's namespace, which is made at the first start.",
  );

const labelSelector = z
  .string()
  .refine(
    (text) => text === '' || isLabelSelector(text),
    'must be a label selector such as team=a,tier in (gold,silver),!legacy',
  )
  .default('');

/** The rules of `policy` once more, for some namespaces. */
function namespacePolicy(policy: z.ZodObject) {
  return z
    .array(
      z
        .strictObject({
          names: z
            .array(z.string().min(1))
            .default([])
            .describe('Names of the namespaces. Required where there is no selector.'),
          selector: labelSelector.describe(
            'Label selector of namespaces, besides those in names. Empty: no others. Needs the rights of the ' +
              'component namespace-selectors.',
          ),
          ...(withoutDefaults(policy) as z.ZodObject).shape,
        })
        .refine(({ names, selector }) => names.length > 0 || selector !== '', {
          path: ['names'],
          message: 'is required where no selector is given: one of them says which namespaces',
        }),
    )
    .default([])
    .describe(
      'What the tenants of some namespaces may ask for besides: lists are added to those above, all else goes before it.',
    );
}

const controller = z.strictObject({
  concurrency: z
    .int()
    .min(1)
    .max(256)
    .default(32)
    .describe('Tenants reconciled at once on each engine, or in each region with each role.'),
  resync_interval: duration
    .default('5m')
    .describe("Time between two of each provider's sweeps over its engine."),
  namespaces: z
    .array(z.string().min(1))
    .default([])
    .describe('Namespaces to watch. Empty: all, or with own_namespace that one.'),
  own_namespace: z
    .boolean()
    .default(false)
    .describe("Whether to watch the operator's own namespace, besides those in namespaces."),
  tenant_selector: labelSelector.describe('Label selector of the Tenants to watch. Empty: all.'),
  reaper: z
    .strictObject({
      enabled: z.boolean().default(false).describe('Whether to look for what is to be removed.'),
      grace_period: duration
        .default('24h')
        .describe(
          'How long something must be without its Tenant before it is removed; counted anew by each process.',
        ),
      dry_run: z.boolean().default(true).describe('Whether to tell only what would be removed.'),
    })
    .prefault({})
    .describe(
      'Removes what runs for Tenants that are gone, but for volumes, in namespaces where policy.allow_retain is false.',
    ),
});

/** By provider; one that is not named updates all at once. */
function rollout(providers: readonly ProviderDefinition[]) {
  const limits = z.strictObject({
    max_concurrent: z
      .int()
      .min(1)
      .max(10_000)
      .describe('Tenants that are updated at once; each is Ready again before the next one begins.'),
    max_failures: z
      .int()
      .min(1)
      .max(10_000)
      .default(1)
      .describe(
        'Tenants that may be rolled back, or not Ready after ten minutes, before nobody begins any more.',
      ),
  });
  type Limits = z.output<typeof limits>;
  const byProvider: z.ZodObject = z.strictObject(
    Object.fromEntries(providers.map(({ name }) => [name, limits.optional().describe(`Of ${name}.`)])),
  );
  return (
    byProvider as unknown as z.ZodType<Readonly<Record<string, Limits>>, Readonly<Record<string, unknown>>>
  )
    .prefault({})
    .describe(
      "How a change that the operator's config or version makes to many Tenants goes out. What somebody changes of a " +
        'Tenant itself waits for nobody. A provider without limits updates all at once.',
    );
}

const leaderElection = z.strictObject({
  enabled: z.boolean().default(false).describe('Whether to hold a Lease while working.'),
  namespace: z.string().default('').describe("Namespace of the Lease. Empty: the operator's own."),
  name: z.string().min(1).default('landlord').describe('Name of the Lease.'),
  lease_duration: duration.default('15s').describe('How long others wait for a silent leader.'),
  renew_deadline: duration.default('10s').describe('How long the leader tries to renew before it gives up.'),
  retry_period: duration.default('2s').describe('Time between two tries.'),
});

export type OperatorConfig = Omit<z.output<ReturnType<typeof operatorConfigSchema>>, 'compute'> & {
  /** The enabled providers' blocks, each parsed by its provider's own schema. */
  readonly compute: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};
