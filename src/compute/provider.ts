import type { z } from 'zod';
import type { Logger } from 'pino';
import type { ComputeStatusBlock, DriftItem, Placement } from '../api/status.ts';
import type { CommonPolicy } from './policy.ts';
import type { TenantComputeSpec } from './spec/tenant-compute-spec.ts';

/**
 * The contract of a compute provider. What holds for every operation:
 *
 * - It is idempotent. It relies on no memory of this process: names and owner marks on the engine tell everything, so
 *   that an operator killed between any two calls finds what it left and creates nothing twice. (`mock` is excepted.)
 * - It does not wait for the engine to converge. It makes the next step, returns `in_progress`, and is called again.
 * - It touches nothing whose owner mark is not this operator's: same name, other owner is `ProviderConflict`.
 * - It rejects only with ComputeError. "Not there" is a value, not an error.
 * - It ends soon after `signal` aborts and never hangs: each call to the engine has a deadline of its own.
 */
export interface Provider<Config = Readonly<Record<string, unknown>>> {
  readonly name: string;

  /** Whether what it creates outlives this process. Then the placement is written before anything is created. */
  readonly durable: boolean;

  /** Whether it needs the values of referenced Secrets (true), or passes them on by reference (false). */
  readonly needsSecretValues: boolean;

  /**
   * Pure: where the spec goes and what identifies it. Throws ComputeError `InvalidSpec` naming the path, or
   * `PolicyDenied` naming the rule. Two specs with one hash need no replacement of each other.
   */
  desire(spec: TenantComputeSpec<Config>): Desire;

  /** What `desire` can't know without asking the engine. Changes nothing. Rejects with InvalidSpec or PolicyDenied. */
  validate(spec: TenantComputeSpec<Config>, signal: AbortSignal): Promise<void>;

  /**
   * Takes the next step from nothing (or from a half-made something) towards `spec`.
   * Rejects with ProviderConflict, ImageUnavailable, ProvisionFailed, AccessDenied, Throttled, ProviderUnavailable.
   */
  provision(spec: TenantComputeSpec<Config>, signal: AbortSignal): Promise<StepResult>;

  /**
   * Takes the next step from what is there towards `spec`: live where the engine can, else by a replacement that
   * stops nothing before its successor is known to be possible. `rolled_back` says that the successor failed and that
   * the old one serves as before. Also repairs drift: the same diff decides.
   * With `keep`, the desired state is not to be tried: only what is there is kept running (a rejected spec).
   */
  update(
    spec: TenantComputeSpec<Config>,
    signal: AbortSignal,
    options?: { readonly keep?: boolean },
  ): Promise<StepResult>;

  /**
   * Takes the next step towards nothing being left at `placement`; `gone` once the engine was seen to hold nothing.
   * Needs nothing but the placement and the ids: the spec may be invalid or its secrets lost. What bears another
   * owner's mark counts as not there. Rejects with DestroyFailed, AccessDenied, Throttled, ProviderUnavailable.
   */
  destroy(ref: PlacedTenant, signal: AbortSignal): Promise<DestroyResult>;

  /**
   * What runs at `ref.placement`, and, given `spec`, how it differs. May answer from what the provider has seen
   * through its watch, as long as nothing can have changed since. Rejects with ProviderConflict, AccessDenied,
   * Throttled, ProviderUnavailable.
   */
  getStatus(
    ref: PlacedTenant,
    spec: TenantComputeSpec<Config> | undefined,
    signal: AbortSignal,
  ): Promise<Observation>;

  /** Everything on the engine that bears this instance's owner mark, for the report of orphans. */
  list(signal: AbortSignal): Promise<readonly OwnedResource[]>;

  /**
   * Hints that a tenant's reality may have moved, until `signal` aborts; never rejects. `onChange(undefined)`: any of
   * them (after a gap). Sweeps of the engine, every `sweepIntervalMs`, are the provider's own.
   */
  watch(onChange: (tenantId: string | undefined) => void, signal: AbortSignal): Promise<void>;

  /** Lets go of sockets and timers. */
  close(): Promise<void>;
}

/** A tenant at a place. */
export interface PlacedTenant {
  readonly tenantId: string;
  readonly namespace: string;
  readonly name: string;
  readonly placement: Placement;
  /**
   * `getStatus`: compare all there is to compare, limits and the like included, on the engine itself instead of what
   * the watch has told. Set for a new generation, a requested reconcile and after a step.
   */
  readonly thorough?: boolean;
}

export interface Desire {
  /** Equal placements (deeply) are the same place. */
  readonly placement: Placement;
  /** `v1:` and 32 hex digits; covers all that a rollout would change. */
  readonly specHash: string;
}

export interface StepResult {
  /** `done`: nothing is left to do but to watch. */
  readonly outcome: 'done' | 'in_progress' | 'rolled_back';
  /** What is under way or was done, for the status: "Pulling registry.example/app:1.4". Stable while it lasts. */
  readonly message: string;
  /** `rolled_back`: why the successor failed. */
  readonly reason?: 'RolledBack' | 'ImageUnavailable';
  /** When to come back where no hint is to be expected, in milliseconds. */
  readonly lookAgainAfterMs?: number;
}

export interface DestroyResult {
  readonly outcome: 'gone' | 'in_progress';
  readonly message: string;
  readonly lookAgainAfterMs?: number;
}

/** One difference between desired and observed. */
export interface Change extends DriftItem {
  /**
   * `spec`: what runs comes from another desired state: a rollout is due.
   * `drift`: it came from this desired state and was changed behind the operator.
   */
  readonly cause: 'spec' | 'drift';
}

export interface Observation {
  /** For the status, without lastTransitionTime and replicas. */
  readonly compute: ComputeStatusBlock;
  /** Whether anything owned by this tenant is there at all, in whatever state. */
  readonly exists: boolean;
  /** Empty without a spec, or when all is as desired. Secret values are redacted. */
  readonly changes: readonly Change[];
  /** What is wrong or under way, for the status. Stable while it lasts. */
  readonly message?: string;
  /** A successor that the engine itself rolled back (ECS' circuit breaker). */
  readonly rolledBack?: { readonly reason: 'RolledBack' | 'ImageUnavailable'; readonly message: string };
  /** In transition (starting, settling, draining): when to look again, in milliseconds. */
  readonly lookAgainAfterMs?: number;
}

export interface OwnedResource {
  readonly tenantId: string;
  readonly namespace: string;
  readonly name: string;
  /** What it is and how the engine calls it: `container landlord-tenant-acme`. */
  readonly resource: string;
}

/** What a provider is built with, besides its block of the operator's config. */
export interface ProviderContext {
  /** Owner mark on everything created. */
  readonly instance: string;
  /** UID of the namespace kube-system: the cluster's identity on a shared engine. */
  readonly clusterUid: string;
  readonly logger: Logger;
  /** What all tenants are held to; `desire` checks it over the containers that would run. */
  readonly policy: CommonPolicy;
  /** Milliseconds between two sweeps. */
  readonly sweepIntervalMs: number;
}

/**
 * A provider's entry in the registry. The schemas are the single source of ValidateConfig, ConfigSchema and
 * ConfigDefaults of the document, of the CRD's block, of the operator's config check and of the reference.
 */
export interface ProviderDefinition {
  readonly name: string;
  /** `spec.computeConfig.NAME`, all keys optional: what a tenant may say. */
  readonly tenantBlock: z.ZodType;
  /** The merged block, with what must be there. Its output is the provider's Config. */
  readonly mergedBlock: z.ZodType;
  /** `compute.NAME` of the operator's config: the tenant's keys as defaults, and the operator's own. */
  readonly operatorBlock: z.ZodType;
  /** `policy.NAME` of the operator's config. */
  readonly policyBlock: z.ZodType;
  /** Keys of the operator's block that are the tenant's too: the ones that are merged. */
  readonly sharedKeys: readonly string[];
  /** Keys of the operator's block that an environment variable fills where they are empty. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Loads the implementation, and with it the engine's SDK, only once the provider is enabled. */
  load(): Promise<CreateProvider>;
}

/** Makes a provider from its parsed blocks of the operator's config, and with it the engine's client. */
export type CreateProvider = (
  options: { readonly block: unknown; readonly policy: unknown },
  context: ProviderContext,
) => Promise<Provider> | Provider;
