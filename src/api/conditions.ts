import { z } from 'zod';

/**
 * The closed sets of words that a Tenant's status is made of, and how conditions follow each other. Which reason it
 * is, the controller decides (controller/status/reasons.ts).
 */

export const conditionTypes = ['Ready', 'Reconciling', 'Stalled', 'Drifted'] as const;
export type ConditionType = (typeof conditionTypes)[number];

export const reasons = [
  'Running',
  'Provisioning',
  'Updating',
  'Unhealthy',
  'Suspended',
  'Observed',
  'Deleting',
  'ApprovalRequired',
  'ProviderRequired',
  'ProviderNotFound',
  'ProviderConflict',
  'InvalidSpec',
  'SecretNotFound',
  'PolicyDenied',
  'ImageUnavailable',
  'ProvisionFailed',
  'UpdateFailed',
  'RolledBack',
  'DestroyFailed',
  'AccessDenied',
  'Throttled',
  'ProviderUnavailable',
  'Drifted',
  'Released',
  'InternalError',
] as const;
export type Reason = (typeof reasons)[number];

export const phases = [
  'Pending',
  'Provisioning',
  'Updating',
  'Ready',
  'Degraded',
  'Suspended',
  'Observed',
  'Deleting',
  'Failed',
] as const;
export type Phase = (typeof phases)[number];

export const conditionStatuses = ['True', 'False', 'Unknown'] as const;
export type ConditionStatus = (typeof conditionStatuses)[number];

export const condition = z.strictObject({
  type: z.enum(conditionTypes).describe('What the condition is about.'),
  status: z.enum(conditionStatuses).describe('Whether it holds.'),
  reason: z
    .enum(reasons)
    .describe('Why, as one word of a closed set; docs/troubleshooting.md has a section for each.'),
  message: z
    .string()
    .max(32_768)
    .describe('What is the case and, where something is wrong, what would mend it.'),
  observedGeneration: z.int().optional().describe('The metadata.generation that the condition speaks of.'),
  lastTransitionTime: z.iso.datetime().describe('When status last changed.'),
});
export type Condition = z.output<typeof condition>;

/** What a reconcile pass says of one condition; the time is filled in by `setConditions`. */
export type ConditionUpdate = Omit<Condition, 'lastTransitionTime'>;

/**
 * The conditions to write: those of `updates`, in the order of `conditionTypes`, each with the transition time of
 * its predecessor where the status did not change. Types without an update are dropped.
 */
export function setConditions(
  previous: readonly Condition[],
  updates: readonly ConditionUpdate[],
  now: Date,
): Condition[] {
  return conditionTypes.flatMap((type) => {
    const update = updates.find((candidate) => candidate.type === type);
    if (update === undefined) return [];
    const before = previous.find((candidate) => candidate.type === type);
    const lastTransitionTime = before?.status === update.status ? before.lastTransitionTime : timestamp(now);
    return [{ ...update, lastTransitionTime }];
  });
}

/** Kubernetes writes times in whole seconds. */
export function timestamp(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`;
}

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: ConditionType,
): Condition | undefined {
  // A stored status may be anything, whatever its type says: metrics read it before anybody could mend it.
  if (!Array.isArray(conditions)) return undefined;
  return conditions.find((candidate: Condition | null) => candidate?.type === type);
}
