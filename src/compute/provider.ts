import type { z } from 'zod';
import type { Logger } from 'pino';
import type { ComputeStatusBlock, DriftItem, Effect, Placement } from '../api/status.ts';
import type { Capacity } from './capacity.ts';
import type { CollectsImages } from './image-collection.ts';
import type { Permit } from './permit.ts';
import type { PolicyRules } from './policy-by-namespace.ts';
import { isSameHash } from './spec/spec-hash.ts';
import type { HashKey } from './spec/spec-hash.ts';
import type { ResolvedImages } from './spec/resolved-images.ts';
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
export interface Provider<D extends Desired = Desired> extends CollectsImages {
  readonly name: string;

  /**
   * Pure: the engine's own input for the spec, and where it goes. Computed once per pass; the other operations take
   * what it returned. Throws ComputeError `InvalidSpec` naming the path, or `PolicyDenied` naming the rule;
   * AccessDenied where the operator can't tell what the namespace may ask for.
   */
  desired(spec: TenantComputeSpec): D;

  /**
   * `Desired.domain` of what `config`, the merged block as it comes, asks for; without it, of what is at `placement`.
   * Pure and cheap: it is asked ahead of the pass. Undefined: it can't be told, or is not in the config. Left out: there is one.
   */
  domainOf?(at: Destination): string | undefined;

  /**
   * A placement of this provider, complete: with what its engine alone can tell (which engine it is) where `desired` or
   * an earlier version left that out, and with the address that leads there now. What is complete stays the same place.
   * Left out where a placement says everything by itself. Rejects with AccessDenied, Throttled, ProviderUnavailable.
   */
  locate?(placement: Placement, signal: AbortSignal): Promise<Placement>;

  /**
   * What the tags of the spec's images mean now, by the word of their registries. Left out where the engine looks that up by
   * itself, whenever it runs an image. Rejects with ImageUnavailable, InvalidSpec, PolicyDenied.
   */
  resolveImages?(spec: TenantComputeSpec, signal: AbortSignal): Promise<ResolvedImages>;

  /** What `desired` can't know without asking the engine. Changes nothing. Rejects with InvalidSpec or PolicyDenied. */
  validate(desired: D, signal: AbortSignal): Promise<void>;

  /**
   * Takes the next step from nothing (or from a half-made something) towards `desired`.
   * Rejects with ProviderConflict, ImageUnavailable, ProvisionFailed, AccessDenied, Throttled, ProviderUnavailable.
   */
  provision(desired: D, permit: Permit, signal: AbortSignal): Promise<StepResult>;

  /**
   * Takes the next step from what is there towards `desired`: live where the engine can, else by a replacement that
   * stops nothing before its successor is known to be possible. `rolled_back` says that the successor failed and that
   * the old one serves as before. Also repairs drift: the same diff decides.
   * Rejects as `provision` does, with UpdateFailed for ProvisionFailed.
   */
  update(desired: D, permit: Permit, signal: AbortSignal): Promise<StepResult>;

  /**
   * Keeps running what ran before `desired`, which was rejected: repairs that, and starts nothing new.
   * Rejects as `update` does.
   */
  hold(desired: D, permit: Permit, signal: AbortSignal): Promise<StepResult>;

  /**
   * Takes the next step towards nothing being left at the place; `gone` once the engine was seen to hold nothing.
   * Needs nothing but the place: the spec may be invalid or its secrets lost. What bears another owner's mark counts
   * as not there. Rejects with ProviderConflict (what was seen as the tenant's has lost its marks), DestroyFailed, AccessDenied, Throttled, ProviderUnavailable.
   */
  destroy(at: TenantPlace, permit: Permit, signal: AbortSignal): Promise<DestroyResult>;

  /**
   * What runs at the place, and, with `against`, how it differs from that. Rejects with ProviderConflict,
   * AccessDenied, Throttled, ProviderUnavailable; with `against` also with ImageUnavailable, where the engine itself
   * goes on trying to get an image.
   */
  getStatus(at: TenantPlace, against: D | undefined, how: Looking): Promise<Observation>;

  /** Each that may fail alone, as far as `list` can tell them apart. Left out: it can't. */
  readonly domains?: readonly string[];

  /** All that bears this instance's owner mark; `domain`: there alone. Rejects where not all of that can be told. */
  list(signal: AbortSignal, domain?: string): Promise<readonly OwnedResource[]>;

  /** What is left on the engines, as far as it was seen by now. Calls nothing. Left out: it can't be told. */
  capacity?(): readonly Capacity[];

  /** Hints that reality may have moved, until `signal` aborts; never rejects. Sweeps, every `sweepIntervalMs`, are its own. */
  watch(onChange: OnChange, signal: AbortSignal): Promise<void>;

  /** Lets go of sockets and timers. */
  close(): Promise<void>;
}

/**
 * A hint at a tenant; undefined: at any of them (after a gap), or of those in `domain`. `contact`: all that is new is that
 * its engine is out of reach, or back. That concerns many at once, and so each in its time.
 */
export type OnChange = (tenantId: string | undefined, why?: 'contact', domain?: string) => void;

/** Where something is about to be done, as far as it can be told ahead. */
export interface Destination {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly placement?: Placement;
}

/** A tenant at a place. */
export interface TenantPlace {
  readonly tenantId: string;
  readonly namespace: string;
  readonly name: string;
  /** All that `destroy` needs to find what is there. Equal placements (deeply), but for `host` and `engine`, are the same place. */
  readonly placement: Placement;
  /** `compute.resourceIds` of the last status: what was seen as the tenant's, here or at another of its places. */
  readonly seen?: Readonly<Record<string, string>>;
  /** `compute` of the last status, where nothing but this place went into it. */
  readonly shown?: ComputeStatusBlock;
}

/** Where a tenant goes and what identifies its desired state. Providers add what their engine is to be told. */
export interface Desired extends TenantPlace {
  /** See `sealedHash`; covers all that a rollout would change. Equal ones need no replacement of each other. */
  readonly specHash: string;
  /** Hashes of its parts that Secrets take part in, for TenantComputeSpec.remembered. Absent: it can't do without values. */
  readonly sealed?: Readonly<Record<string, string>>;
  /** What earlier versions made of the same: a status may remember one. It goes no further. */
  readonly former?: { readonly hashes: readonly string[] };
  /** Whose failure must be nobody else's: one engine; one account and region. */
  readonly domain: string;
  /** What the engine has otherwise than the spec says, for it takes no such values: in words, for a status that is Ready. */
  readonly notes?: readonly string[];
  /** The tenant's earlier places with this provider, each to be emptied once this one is Ready. The controller's to say. */
  readonly leaving?: readonly Placement[];
  /** Data that the tenant was seen to have here, named as in `Observation.data`. The controller's to say. */
  readonly had?: readonly string[];
}

/** Whether what is remembered by this hash is this very desired state. */
export function bearsHash({ specHash, former }: Pick<Desired, 'specHash' | 'former'>, hash: string): boolean {
  return isSameHash(specHash, hash) || former?.hashes.includes(hash) === true;
}

export interface Looking {
  /**
   * Whether to compare all there is to compare, on the engine itself. Otherwise the answer may come from what the watch has
   * told, as long as nothing can have changed since. Set for a new generation, a requested reconcile and after a step.
   */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
}

export interface StepResult {
  /** `done`: nothing is left to do but to watch. */
  readonly outcome: 'done' | 'in_progress' | 'rolled_back';
  /** What is under way or was done, for the status: "Pulling registry.example/app:1.4". Stable while it lasts. */
  readonly message: string;
  /** `rolled_back`: why the successor failed. */
  readonly reason?: 'RolledBack' | 'ImageUnavailable';
  /**
   * `in_progress`: what of `Desired.had` is needed and gone, as it is called there. Nothing was made in its place yet: that
   * follows once the status says so, and `had` no longer names it.
   */
  readonly lost?: readonly string[];
  /** When to come back where no hint is to be expected, in milliseconds. */
  readonly lookAgainAfterMs?: number;
}

export interface DestroyResult {
  readonly outcome: 'gone' | 'in_progress';
  readonly message: string;
  /** `gone`: data that was kept, for the permit did not cover its loss, as the engine calls it: `volume NAME`. */
  readonly retained?: readonly string[];
  readonly lookAgainAfterMs?: number;
}

/** One difference between desired and observed. */
export interface Change extends DriftItem {
  /**
   * `spec`: what runs comes from another desired state: a rollout is due.
   * `drift`: it came from this desired state and was changed behind the operator.
   */
  readonly cause: 'spec' | 'drift';
  /** Whether it is to start what was made for this desired state and never ran: what runs is not touched. */
  readonly begins?: true;
  /** Whether it takes away what has given way to its successor already: the rest of a rollout, and no other one. */
  readonly ends?: true;
  /**
   * What mending it does to what runs. `live`: nothing restarts; `replace`: a proven successor takes over; `gap`: a
   * short stop, with a way back; `outage`: what runs ends before the new one is known to be good; `data-loss`: what
   * goes can't be had again.
   */
  readonly effect: Effect;
}

export interface Observation {
  /** For the status, without lastTransitionTime and replicas. */
  readonly compute: ComputeStatusBlock;
  /** Replicas that run, where that is not `compute.running`. */
  readonly replicas?: number;
  /** Whether anything owned by this tenant is there at all, in whatever state. */
  readonly exists: boolean;
  /** Where no `fresh` look was called for: it is as one would have it all the same, for the engine had to be asked. */
  readonly fresh?: boolean;
  /** Data in use, as the engine calls it: `volume NAME`; with `against`, also what that still asks for, be it there or not. */
  readonly data?: readonly string[];
  /** Empty without a spec, or when all is as desired. Secret values are redacted. */
  readonly changes: readonly Change[];
  /** What ran before `against`, and is gone: `hold` brings it back. Told as far as the provider knows what it was. */
  readonly gone?: readonly Change[];
  /** A successor that was made for one of the changes stands beside what it is to replace. */
  readonly halfway?: boolean;
  /** More or fewer run than are asked for, and enough: the count is being changed, or tasks move to another place. */
  readonly scaling?: boolean;
  /** What is wrong or under way, for the status. Stable while it lasts. */
  readonly message?: string;
  /** What others have put beside it and is left alone, as `Desired.notes`. */
  readonly notes?: readonly string[];
  /** A successor that the engine itself rolled back (ECS' circuit breaker). */
  readonly rolledBack?: { readonly reason: 'RolledBack' | 'ImageUnavailable'; readonly message: string };
  /** What is told of a rollout of `against` that has had its time and goes on: it is not healthy. Stable while it lasts. */
  readonly overdue?: string;
  /** In transition (starting, settling, draining): when to look again, in milliseconds. */
  readonly lookAgainAfterMs?: number;
}

export interface OwnedResource {
  readonly tenantId: string;
  readonly namespace: string;
  readonly name: string;
  /** What it is and how the engine calls it: `container landlord-tenant-acme`. */
  readonly resource: string;
  /** Whether it is data that stays when what ran goes. */
  readonly isData: boolean;
  /** Where `destroy` finds it. */
  readonly placement: Placement;
}

/** What a provider is built with, besides its block of the operator's config. */
export interface ProviderContext {
  /** Owner mark on everything created. */
  readonly instance: string;
  /** The cluster's identity on a shared engine: the UID of its namespace kube-system, or what the config calls it. */
  readonly clusterUid: string;
  /** For hashes that secrets take part in. */
  readonly hashKey: HashKey;
  readonly logger: Logger;
  /** What tenants are held to, by their namespaces; `desired` checks it over the containers that would run. */
  readonly policy: PolicyRules;
  /** Milliseconds between two sweeps. */
  readonly sweepIntervalMs: number;
}

/**
 * A provider's entry in the registry. Its schemas are the single source of what `definition-config.ts` answers (ValidateConfig,
 * ConfigSchema, ConfigDefaults), of the CRD's block, of the operator's config check and of the reference.
 */
export interface ProviderDefinition {
  readonly name: string;
  /** Whether what it creates outlives this process. Then the placement is written before anything is created. */
  readonly durable: boolean;
  /** How Secrets travel: their values go to the engine with the spec, or references that the engine resolves. */
  readonly secrets: 'values' | 'references';
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
  /** Keys of the tenant's block that a label or annotation fills where the block does not have them: key → label. */
  readonly labelled?: Readonly<Record<string, string>>;
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
