import { ComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import type { Consent } from '../../../permit.ts';
import type { TenantRef } from '../../../spec/tenant-compute-spec.ts';
import { revisionKey } from '../address/arns.ts';
import type { EcsApi } from '../engine/ecs-api.ts';
import type { EcsScope } from '../address/service-target.ts';
import { tagKeys, tagMap } from '../state/marks/tags.ts';
import type { Tags } from '../state/marks/tags.ts';
import { registerInput } from '../state/task-definition/register-input.ts';
import type { TaskDefinition } from '../state/task-definition/task-definition.ts';
import type { Overlay } from '../state/task-definition/task-overlay.ts';

/** Revisions of the families that are a tenant's own. */

export interface RevisionWanted {
  readonly scope: EcsScope;
  readonly overlay: Overlay;
  readonly tenant: TenantName;
  /** Its marks on what is registered. */
  readonly ownerTags: Tags;
  /** Throws PolicyDenied where a revision must not be run. `name`: its own, or its family's. */
  readonly admit: (definition: TaskDefinition, name: string) => void;
}

type TenantName = Pick<TenantRef, 'namespace' | 'name'>;

/** How many of the newest are looked at: more than one differs from the service's only after a crash or a rollback. */
const maxLookedAt = 3;

/**
 * ARN of a revision of the overlay: one that was registered before, by a process that has died maybe, or a new one.
 * Rejects with ProviderConflict where the family is someone else's, PolicyDenied and InvalidSpec where it can't be registered.
 */
export async function ensureRevision(
  api: EcsApi,
  ownership: Ownership,
  { scope, overlay, tenant, ownerTags, admit }: RevisionWanted,
  signal: AbortSignal,
): Promise<string> {
  const newest = (await api.listTaskDefinitions(scope, overlay.family, signal)).slice(0, maxLookedAt);
  const base = await api.describeTaskDefinition(scope, overlay.base, signal);
  // Also for a revision that is there already: when it was made, more may have been allowed.
  const input = base && registerInput(overlay, base.taskDefinition, ownerTags);
  for (const arn of newest) {
    const found = await api.describeTaskDefinition(scope, arn, signal);
    if (found === undefined) continue;
    const tags = tagMap(found.tags);
    if (!ownership.belongsTo(tenant, tags)) throw familyConflict(arn, { ownership, tenant, tags });
    if (tags[tagKeys.overlayHash] !== overlay.hash) continue;
    admit(found.taskDefinition, arn);
    return arn;
  }
  if (input === undefined) throw noTaskDefinition(overlay.base);
  admit(input, overlay.family);
  const { taskDefinitionArn } = await api.registerTaskDefinition(scope, input, signal);
  if (taskDefinitionArn !== undefined) return taskDefinitionArn;
  throw new ComputeError('ProviderUnavailable', 'ECS registered a task definition and did not name it');
}

export function noTaskDefinition(arn: string): ComputeError {
  return new ComputeError(
    'InvalidSpec',
    `spec.computeConfig.ecs.task_definition_arn: there is no task definition ${arn}`,
  );
}

function familyConflict(
  arn: string,
  {
    ownership,
    tenant,
    tags,
  }: { readonly ownership: Ownership; readonly tenant: TenantName; readonly tags: Tags },
): ComputeError {
  const whose = ownership.describe(tenant, tags);
  return new ComputeError(
    'ProviderConflict',
    `task definition ${revisionKey(arn)} exists and ${whose}. Deregister it, or give the tenant another tenantId`,
    { forLog: ownership.identify(tags) },
  );
}

async function revisionTags(
  api: EcsApi,
  scope: EcsScope,
  arn: string,
  signal: AbortSignal,
): Promise<Tags | undefined> {
  const found = await api.describeTaskDefinition(scope, arn, signal);
  return found === undefined ? undefined : tagMap(found.tags);
}

export interface Family {
  readonly scope: EcsScope;
  readonly family: string;
  readonly tenant: TenantName;
  readonly consent: Consent;
}

/**
 * Deregisters up to `most` of the tenant's revisions in the family, oldest first, but those in `inUse`
 * (`FAMILY:REVISION`). Returns how many are left to be deregistered.
 */
export async function deregisterUnused(
  api: EcsApi,
  ownership: Ownership,
  {
    scope,
    family,
    tenant,
    consent,
    inUse,
    most,
  }: Family & { readonly inUse: readonly string[]; readonly most: number },
  signal: AbortSignal,
): Promise<number> {
  const revisions = (await api.listTaskDefinitions(scope, family, signal)).toReversed();
  const unused = revisions.filter((arn) => !inUse.includes(revisionKey(arn)));
  let done = 0;
  let others = 0;
  for (const arn of unused) {
    if (done === most) break;
    const tags = await revisionTags(api, scope, arn, signal);
    if (tags === undefined || !ownership.belongsTo(tenant, tags)) {
      others += 1;
      continue;
    }
    await api.deregisterTaskDefinition(scope, arn, consent, signal);
    done += 1;
  }
  return unused.length - done - others;
}
