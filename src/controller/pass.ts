import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Reason } from '../api/conditions.ts';
import { reconcileRequestedAt } from '../api/names.ts';
import { plainText } from '../api/plain-text.ts';
import type { ComputeStatusBlock, DriftItem, Placement, TenantStatus } from '../api/status.ts';
import type { Tenant, TenantSpecSchema } from '../api/tenant.ts';
import type { ComputeError } from '../compute/errors.ts';
import { isSamePlace } from '../compute/place.ts';
import type { TenantPlace } from '../compute/provider.ts';
import type { EnabledProviders } from '../compute/selection/enabled-providers.ts';
import type { EventRecorder } from '../kube/events/event-recorder.ts';
import type { Rollouts } from './rollout/rollouts.ts';
import type { ConfigMapReads, SecretReads, SecretVersions, SourceKind } from './sources/source.ts';
import { appliedGeneration } from './status/ready.ts';
import type { OwnedLook } from './owned/owned-look.ts';
import type { FormerIds } from './owned/former-ids.ts';
import { tenantIdOf } from './tenant-index.ts';
import type { TenantIndex } from './tenant-index.ts';
import type { RepairKind, TenantMemories, TenantMemory } from './tenant-memory.ts';
import type { TenantWriter } from './tenant-writer.ts';

/** One pass over one Tenant: what it works with, what it has gathered so far, and what it may come to. */
export interface Pass {
  readonly deps: ReconcileDeps;
  /** Replaced by the answer of each write. */
  tenant: Tenant;
  /** Replaced as a whole as facts come in. */
  draft: StatusDraft;
  readonly memory: TenantMemory;
  readonly signal: AbortSignal;
  /** Hash of the desired state, once it is known. */
  specHash?: string;
  /** Why the engine could not be looked at, where that is how the last look ended. */
  failedLook?: unknown;
  /** Whether its images' tags were looked up anew, which somebody has asked for. */
  hasNewImages?: boolean;
  /** The Secrets that it has read. */
  secretsRead?: SecretVersions;
  /** Whether the apiserver has left a question of it without an answer. */
  unanswered?: boolean;
}

/** What every pass works with; built once. */
export interface ReconcileDeps {
  readonly specSchema: TenantSpecSchema;
  readonly providers: EnabledProviders;
  readonly writer: TenantWriter;
  readonly secrets: SecretReads;
  readonly configMaps: ConfigMapReads;
  /**
   * Whether changes of the namespace's Secrets, or ConfigMaps, are watched, so that none is missed after it was read. Where that
   * is not known yet, the key is looked at again once it is. May throw ComputeError.
   */
  readonly watches: (kind: SourceKind, namespace: string, key: string) => boolean;
  /** The resource version of one, as far as the watch has told. */
  readonly versionOf: (kind: SourceKind, namespace: string, name: string) => string | undefined;
  readonly ownedOn: OwnedLook;
  readonly formerIds: FormerIds;
  /** Whether Tenants of this namespace may have any id that they like. */
  readonly freeTenantIds: (namespace: string) => boolean;
  readonly index: TenantIndex;
  readonly rollouts: Rollouts;
  readonly tenantOf: (key: string) => Tenant | undefined;
  readonly memories: TenantMemories;
  readonly events: EventRecorder;
  /** Has the key looked at again after `ms` at the latest. */
  readonly lookAgainWithin: (key: string, ms: number) => void;
  /** Whether Tenants of this namespace may leave behind what they run. Undefined: nobody can tell now. */
  readonly mayRetain: (namespace: string) => boolean | undefined;
  readonly logger: Logger;
  readonly now: () => Date;
}

/** The facts of the status that a pass gathers on its way; conditions and times are added at its end. */
export interface StatusDraft {
  readonly tenantId: string | undefined;
  readonly computeProvider: string | undefined;
  readonly placement: Placement | undefined;
  readonly previousPlacements: readonly Placement[];
  readonly rejected: TenantStatus['rejected'];
  readonly retained: NonNullable<TenantStatus['retained']>;
  /** Data that it has at its place. */
  readonly data: readonly string[];
  /** Data that was found to be gone, lately. */
  readonly lost: NonNullable<TenantStatus['lost']>;
  readonly plan: TenantStatus['plan'];
  readonly rollout: TenantStatus['rollout'];
  readonly images: TenantStatus['images'];
  readonly secrets: TenantStatus['secrets'];
  readonly compute: ComputeStatusBlock | undefined;
  /** Replicas that run. */
  readonly replicas: number | undefined;
  readonly drift: readonly DriftItem[];
  /** The generation that was seen to be in place, until a step leads away from it. */
  readonly appliedGeneration: number | undefined;
  readonly lastHandledReconcileAt: string | undefined;
}

/** What a pass came to; the status' conditions follow from it alone. */
export type Verdict =
  | {
      readonly kind: 'ready';
      readonly message: string;
      /** A move's old place that is still to be emptied. */
      readonly pending?: string;
      /** Why what is desired now is not begun yet: what runs is what was desired before. */
      readonly held?: string;
      /** Why that place refuses. */
      readonly refusal?: ComputeError;
    }
  | {
      readonly kind: 'progressing';
      readonly reason: TransitionReason | LateReason | 'Unhealthy';
      readonly message: string;
      /** Whether the operator itself is at work on it or will try again. */
      readonly underWay: boolean;
    }
  | {
      readonly kind: 'failed';
      readonly error: ComputeError;
      /** Whether it was a look that failed, so that nothing is known of what runs. */
      readonly unseen?: boolean;
    }
  | { readonly kind: 'rolledBack'; readonly reason: RollbackReason; readonly message: string }
  /** A plan waits for consent. */
  | { readonly kind: 'unapproved'; readonly message: string }
  | {
      readonly kind: 'suspended';
      /** Why nothing is known of what runs. */
      readonly unseen?: ComputeError;
    }
  | {
      /** Nothing is driven: `mode` is Observe. */
      readonly kind: 'observed';
      /** Whether all that the spec names runs, and is healthy. */
      readonly isWell: boolean;
      readonly message: string;
    }
  | { readonly kind: 'deleting'; readonly message: string; readonly error?: ComputeError };

export type TransitionReason = Extract<Reason, 'Provisioning' | 'Updating'>;
/** Of a rollout that has not come to its end in its time, and goes on. */
export type LateReason = Extract<Reason, 'ProvisionFailed' | 'UpdateFailed'>;
export type RollbackReason = Extract<Reason, 'RolledBack' | 'ImageUnavailable'>;

/** How a pass ends. */
export interface Outcome {
  readonly verdict: Verdict;
  /** Drift that was repaired, and is seen no more. */
  readonly repaired: readonly DriftItem[];
  /** A repair that was carried out, whatever it came to: the next of its kind waits. */
  readonly repair?: RepairKind;
  /** Data that was found to be gone, as the provider calls it. */
  readonly lost?: readonly string[] | undefined;
  /** When to look again, in milliseconds, where no hint is to be expected. */
  readonly lookAgainAfterMs?: number | undefined;
}

export function draftFrom(status: TenantStatus | undefined): StatusDraft {
  return {
    tenantId: status?.tenantId,
    computeProvider: status?.computeProvider,
    placement: status?.placement,
    previousPlacements: status?.previousPlacements ?? [],
    rejected: status?.rejected,
    retained: status?.retained ?? [],
    data: status?.data ?? [],
    lost: status?.lost ?? [],
    plan: status?.plan,
    rollout: status?.rollout,
    images: status?.images,
    secrets: status?.secrets,
    compute: status?.compute,
    replicas: status?.replicas,
    drift: status?.drift ?? [],
    appliedGeneration: appliedGeneration(status),
    lastHandledReconcileAt: status?.lastHandledReconcileAt,
  };
}

/** Takes facts into the draft. */
export function note(pass: Pass, facts: Partial<StatusDraft>): void {
  pass.draft = { ...pass.draft, ...facts };
}

export function placeAt({ tenant, draft }: Pass, placement: Placement): TenantPlace {
  const { namespace, name } = tenant.metadata;
  const tenantId = draft.tenantId ?? tenantIdOf(tenant);
  const seen = draft.compute?.resourceIds;
  const place = { tenantId, namespace, name, placement, ...(seen === undefined ? {} : { seen }) };
  return isSamePlace(placement, draft.placement) ? { ...place, ...shownOf(draft) } : place;
}

/** The status of the place that the Tenant has, unless it shows endpoints of an earlier one, too. */
export function shownOf({
  compute,
  previousPlacements,
}: Pick<StatusDraft, 'compute' | 'previousPlacements'>): Pick<TenantPlace, 'shown'> {
  return compute === undefined || previousPlacements.length > 0 ? {} : { shown: compute };
}

/**
 * Value of the annotation by which somebody asks for a reconcile, as the status echoes it: of one that is no short text, the
 * hash, for an annotation may have 256 KB, and five times as many with its control characters spelled.
 */
export function requestedAt({ tenant }: Pick<Pass, 'tenant'>): string | undefined {
  const value = tenant.metadata.annotations?.[reconcileRequestedAt];
  if (value === undefined) return undefined;
  if (value.length <= longestRequest) return plainText(value);
  return `sha256:${createHash('sha256').update(value).digest('hex')}`;
}

const longestRequest = 253;
