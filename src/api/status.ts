import { z } from 'zod';
import { maxContainers } from './bounded.ts';
import { condition, conditionTypes, phases, reasons } from './conditions.ts';

/** What Landlord writes: the schema of `Tenant.status`. Only the operator writes it, so nothing in it is defaulted. */

/** The most of each that is told. Places are never left out: a Tenant with as many has other troubles. */
export const statusBounds = {
  /** 16, each with a successor and what comes before and after. */
  containers: 64,
  endpoints: 256,
  resourceIds: 128,
  places: 100,
  data: 100,
  secrets: 64,
  drift: 20,
  /** Bytes of a message, as of an Event's. */
  message: 1024,
} as const;

export const computeStates = ['running', 'stopped', 'starting', 'stopping', 'failed', 'unknown'] as const;
export type ComputeState = (typeof computeStates)[number];
export const computeHealths = ['healthy', 'unhealthy', 'unknown'] as const;
export type ComputeHealth = (typeof computeHealths)[number];

/** Everything that `destroy` needs, owned by the provider: only `provider` is common to all. */
export const placement = z
  .looseObject({
    provider: z.string().describe('Name of the provider that this place belongs to.'),
    host: z
      .string()
      .optional()
      .describe(
        'Address at which its engine was reached last. It does not tell places apart: the rest does.',
      ),
    engine: z
      .string()
      .optional()
      .describe(
        "What the operator's config calls its engine, where it has a name. Nor does this tell places apart.",
      ),
  })
  .meta({ 'x-kubernetes-preserve-unknown-fields': true });
export type Placement = z.output<typeof placement>;

const containerStatus = z.strictObject({
  name: z.string().describe('Name of the container.'),
  state: z.enum(computeStates).describe('State of the container.'),
  ready: z.boolean().describe('Whether it runs and is healthy.'),
  restartCount: z.int().optional().describe('Restarts by the engine, where it counts them.'),
  image: z.string().optional().describe('Image that runs.'),
  imageId: z
    .string()
    .optional()
    .describe('Id of the content that the image has there; of a container that is gone, what it had.'),
  message: z.string().optional().describe('What is wrong with it, if anything; or `completed`.'),
  completed: z
    .string()
    .optional()
    .describe('Hash of the spec with which it ran to its end. It is not run again for that one where it is.'),
});

const endpoint = z.strictObject({
  name: z.string().describe('Name of the port, or CONTAINER-PORT where it has none.'),
  type: z.string().describe('Protocol of the endpoint: tcp, udp or sctp.'),
  address: z.string().describe('Address to connect to.'),
  port: z.int().describe('Port to connect to.'),
  url: z.string().optional().describe('Both as a URL.'),
});
export type Endpoint = z.output<typeof endpoint>;

export const computeStatus = z.strictObject({
  state: z.enum(computeStates).describe('State of the whole: the worst of its containers.'),
  health: z.enum(computeHealths).describe('Health of the whole: the worst of its containers.'),
  running: z.int().describe('Containers (docker) or tasks (ecs) that run.'),
  desired: z.int().describe('Containers or tasks that should run.'),
  replicas: z
    .string()
    .optional()
    .describe('running/desired, for the column of kubectl, which shows one field only.'),
  containers: z
    .array(containerStatus)
    .max(statusBounds.containers)
    .optional()
    .describe('The containers, one by one.'),
  endpoints: z
    .array(endpoint)
    .max(statusBounds.endpoints)
    .optional()
    .describe('Where the tenant can be reached.'),
  resourceIds: z
    .record(z.string(), z.string())
    .refine((ids) => Object.keys(ids).length <= statusBounds.resourceIds)
    .meta({ maxProperties: statusBounds.resourceIds })
    .optional()
    .describe(
      "The engine's own ids: container/NAME and network (docker), service, taskDefinition and deployment (ecs).",
    ),
  lastTransitionTime: z.iso.datetime().optional().describe('When this block last changed.'),
});
export type ComputeStatusBlock = z.output<typeof computeStatus>;

/** What a change does to what runs, mildest first. */
export const effects = ['live', 'replace', 'gap', 'outage', 'data-loss'] as const;
export type Effect = (typeof effects)[number];

export const driftItem = z.strictObject({
  path: z.string().describe('What differs.'),
  desired: z.string().describe('What it should be; secret values are redacted.'),
  actual: z.string().describe('What it is; secret values are redacted.'),
});
export type DriftItem = z.output<typeof driftItem>;

export const tenantStatus = z.strictObject({
  observedGeneration: z.int().default(-1).describe('The metadata.generation that this status speaks of.'),
  tenantId: z.string().optional().describe("The tenant's id, part of the name of everything created for it."),
  computeProvider: z.string().optional().describe('The provider that was chosen.'),
  placement: placement
    .optional()
    .describe('Where the tenant runs or is about to; written before anything is created.'),
  previousPlacements: z
    .array(placement)
    .max(statusBounds.places)
    .optional()
    .describe(
      'Places not yet seen empty: what a move or a changed configuration left to remove. A move that would leave a fourth waits.',
    ),
  rejected: z
    .strictObject({
      specHash: z.string().describe('Hash of the desired state that was rolled back.'),
      reason: z.enum(reasons).describe('Why it was rolled back.'),
      message: z.string().describe('What went wrong with it.'),
      reconcileRequestedAt: z
        .string()
        .optional()
        .describe('Value of the annotation landlord.dev/reconcile-requested-at when it was rolled back.'),
    })
    .optional()
    .describe(
      'A spec that was rolled back. It is not tried again until it or reconcile-requested-at changes.',
    ),
  retained: z
    .array(
      z.strictObject({
        provider: z.string().describe('Provider that keeps it.'),
        resource: z.string().describe('What is kept, as the engine calls it: volume NAME.'),
        since: z.iso.datetime().describe('When its place was left.'),
        placement: placement.describe('The place that was left.'),
      }),
    )
    .max(statusBounds.data)
    .optional()
    .describe('Data at places that were left. Only deletion with volumePolicy Delete removes it.'),
  data: z
    .array(z.string())
    .max(statusBounds.data)
    .optional()
    .describe(
      'Data that it has where it runs, as the engine calls it: volume NAME. What of it is gone is told.',
    ),
  lost: z
    .array(
      z.strictObject({
        provider: z.string().describe('Provider that had it.'),
        resource: z.string().describe('What is lost, as the engine calls it: volume NAME.'),
        since: z.iso.datetime().describe('When it was found to be gone.'),
      }),
    )
    .max(statusBounds.data)
    .optional()
    .describe('Data that was gone when it was needed, and is made anew, empty. Shown for an hour.'),
  plan: z
    .strictObject({
      digest: z
        .string()
        .describe('What the annotation landlord.dev/approve has to say for it to be carried out.'),
      target: z.string().describe('Hash of the place and the desired state that it leads to.'),
      effect: z.enum(effects).describe('The worst effect of its changes on what runs.'),
      changes: z
        .array(driftItem.extend({ effect: z.enum(effects).describe('What making it so does to what runs.') }))
        .max(statusBounds.drift)
        .describe('What would be changed, the first 20.'),
    })
    .optional()
    .describe('Changes that wait for consent, or that are being made with it.'),
  rollout: z
    .strictObject({
      specHash: z.string().describe('Hash of the desired state that is rolled out.'),
      state: z
        .enum(['Updating', 'Failed'])
        .describe('Whether it is under way, or was rolled back or not Ready in time.'),
      since: z.iso.datetime().describe('When it began.'),
    })
    .optional()
    .describe(
      "Its part in a rollout of a change that the operator's config or version makes to many Tenants.",
    ),
  images: z
    .strictObject({
      for: z.string().describe('The generation, and the requested reconcile, that they were looked up for.'),
      digests: z
        .array(
          z.strictObject({
            image: z.string().describe('Image as the spec names it.'),
            digest: z.string().describe('What its tag meant then.'),
          }),
        )
        .max(maxContainers)
        .describe('One for each image that is named by a tag.'),
    })
    .optional()
    .describe('What the tags of its images mean, where imagePullPolicy is Always.'),
  secrets: z
    .strictObject({
      versions: z
        .array(
          z.strictObject({
            name: z.string().describe('Name of the Secret.'),
            resourceVersion: z.string().describe('Its metadata.resourceVersion when it was read.'),
          }),
        )
        .max(statusBounds.secrets)
        .describe('The Secrets that its containers have values of.'),
      hashes: z
        .array(
          z.strictObject({
            container: z.string().describe('Name of the container.'),
            specHash: z.string().describe('Hash of what is desired of it with these.'),
          }),
        )
        .max(statusBounds.containers)
        .describe('One for each container that has such a value.'),
    })
    .optional()
    .describe(
      'What the values of Secrets came to when they were read last: while the versions stay, what runs is compared without them.',
    ),
  replicas: z
    .int()
    .optional()
    .describe(
      'Replicas that run, for the scale subresource: sets of containers (docker), tasks (ecs). Only while spec.replicas is set.',
    ),
  selector: z
    .string()
    .optional()
    .describe(
      'For the scale subresource, whose readers ask for one. No Pod has these labels. Only while spec.replicas is set.',
    ),
  phase: z.enum(phases).optional().describe('One word for people; programs read the conditions.'),
  compute: computeStatus.optional().describe('What the provider observed.'),
  drift: z
    .array(driftItem)
    .max(statusBounds.drift)
    .optional()
    .describe('Where reality differs from the spec, the first 20.'),
  retry: z
    .strictObject({ since: z.iso.datetime().describe('When the failing began.') })
    .optional()
    .describe('Present only while reconciling fails.'),
  appliedGeneration: z
    .int()
    .optional()
    .describe(
      'Present only while reconciling fails: the metadata.generation that was applied, so that what differs is drift.',
    ),
  lastHandledReconcileAt: z
    .string()
    .optional()
    .describe('The last value of the annotation landlord.dev/reconcile-requested-at that was acted on.'),
  conditions: z
    .array(condition)
    .max(conditionTypes.length)
    .optional()
    .meta({
      description: 'Ready, Reconciling, Stalled and Drifted, by the rules of kstatus.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    }),
});
export type TenantStatus = z.output<typeof tenantStatus>;
