import { apiVersion, finalizer, kind, reconcileRequestedAt } from '../api/names.ts';
import type { Placement, TenantStatus } from '../api/status.ts';
import type { Tenant, TenantSpec } from '../api/tenant.ts';
import { ComputeError } from '../compute/errors.ts';
import type { Change, Desired } from '../compute/provider.ts';
import { chooseProvider } from '../compute/selection/choose-provider.ts';
import type { EnabledProvider } from '../compute/selection/enabled-providers.ts';
import { defaultTenantId } from '../compute/spec/tenant-id.ts';
import { keyOf } from '../kube/client/kube-object.ts';
import { jsonEqual } from '../kube/client/merge-patch.ts';
import type { ProcessResult } from '../kube/queue/work-queue.ts';
import { draftFrom, note, placeAt } from './pass.ts';
import type { Outcome, Pass, ReconcileDeps } from './pass.ts';
import { createSecretReader } from './secrets/secret-reader.ts';
import { progressMessage, reasonInTransition } from './status/reasons.ts';
import { requeue, unavailableGraceLeftMs } from './status/requeue.ts';
import { isProgressOnly } from './status/status-debounce.ts';
import { summarise } from './status/summarise.ts';
import { transitionEvents } from './status/transition-events.ts';
import { repairKind } from './steps/choose-step.ts';
import { converge } from './steps/converge.ts';
import { deleteTenant, noteRetained, placeText } from './steps/delete-tenant.ts';
import { approvalMessage, gate } from './steps/gate.ts';
import { ignoreComputeError, leavePreviousPlacements } from './steps/previous-placements.ts';
import { placesByOwner } from './steps/places-by-owner.ts';
import { parseTenantSpec, referencedSecrets, resolveSpec } from './steps/resolve-spec.ts';
import { oldestTenant } from './tenant-index.ts';
import { noteRepair, repairWaitMs } from './tenant-memory.ts';

/** One pass over one Tenant: everything happens on a draft in memory, and its end is one write of the status. */
export async function reconcileTenant(
  deps: ReconcileDeps,
  tenant: Tenant,
  signal: AbortSignal,
): Promise<ProcessResult> {
  const key = keyOf(tenant);
  const pass: Pass = { deps, tenant, draft: draftFrom(tenant.status), memory: deps.memories.of(key), signal };
  const outcome =
    tenant.metadata.deletionTimestamp === undefined ? await runSteps(pass) : await finalize(pass);
  if (outcome === undefined) return {};
  const { verdict, repaired } = outcome;
  const graceMs = unavailableGraceLeftMs(pass, verdict);
  if (graceMs > 0) {
    deps.lookAgainWithin(key, graceMs);
    return { failed: true };
  }
  const result = requeue(outcome);
  const status = summarise({ ...summaryOf(pass), verdict });
  if (!isProgressOnly(pass, status, result.requeueAfterMs)) {
    const previous = pass.tenant.status;
    await writeStatus(pass, status);
    record(pass, transitionEvents(previous, status, repaired));
  }
  if (repaired.length > 0) noteRepair(pass.memory, repairKind(repaired), deps.now().getTime());
  else if (verdict.kind === 'ready') pass.memory.repair = undefined;
  return result;
}

async function runSteps(pass: Pass): Promise<Outcome> {
  const outcome = await reconcileSteps(pass).catch(failure);
  const endsWithoutPlace = outcome.verdict.kind === 'suspended' || outcome.verdict.kind === 'failed';
  if (endsWithoutPlace) await takeBack(pass);
  if (outcome.verdict.kind === 'failed') await observeWhileFailing(pass, outcome.verdict.error);
  return outcome;
}

function failure(error: unknown): Outcome {
  if (!(error instanceof ComputeError)) throw error;
  return { verdict: { kind: 'failed', error }, repaired: [] };
}

/** The ordered steps. Each throws ComputeError where the tenant can't go on; nothing is created before `place`. */
async function reconcileSteps(pass: Pass): Promise<Outcome> {
  const { deps, memory, signal } = pass;
  const tenantSpec = parseTenantSpec(deps.specSchema, pass.tenant);
  note(pass, { tenantId: identify(pass, tenantSpec) });
  if (tenantSpec.suspend) {
    await observe(pass);
    return { verdict: { kind: 'suspended' }, repaired: [] };
  }
  const enabled = choose(pass, tenantSpec);
  note(pass, { computeProvider: enabled.definition.name });
  const spec = await resolve(pass, tenantSpec, enabled);
  const desired = enabled.provider.desired(spec);
  await enabled.provider.validate(desired, signal);
  const isKnown = pass.tenant.metadata.finalizers?.includes(finalizer) === true;
  await ensureFinalizer(pass);
  // A status that somebody has wiped: whatever is elsewhere is left, not lost.
  if (isKnown && pass.draft.placement === undefined && enabled.definition.durable) {
    note(pass, { previousPlacements: await placesByOwner(pass, signal) });
  }
  const unapproved = moveThatWaits(pass, tenantSpec, desired);
  if (unapproved !== undefined) {
    await observe(pass);
    return unapproved;
  }
  await place(pass, enabled, desired.placement);
  const requestedAt = pass.tenant.metadata.annotations?.[reconcileRequestedAt];
  const { facts, ...outcome } = await converge({
    tenant: pass.tenant,
    driftPolicy: tenantSpec.driftPolicy,
    approval: tenantSpec.approval,
    desired,
    enabled,
    draft: pass.draft,
    requestedAt,
    repairWaitMs: (repair) => repairWaitMs(memory, repair, deps.now().getTime()),
    signal,
  });
  note(pass, facts);
  if (outcome.verdict.kind === 'failed') return outcome;
  note(pass, { lastHandledReconcileAt: requestedAt });
  return leavePreviousPlacements(pass, outcome);
}

/**
 * What a Tenant of that name left behind, or what a status named that somebody has wiped since, is this one's: it is
 * shown, and it stays this one's to remove, although nothing is driven. No pass waits for the engines' answers: one of
 * them may hang, and this one's spec has nothing to do with it.
 */
async function takeBack(pass: Pass): Promise<void> {
  const { memory, draft } = pass;
  if (draft.placement !== undefined) memory.places = undefined;
  else if (memory.places === undefined) void askByOwner(pass);
  else if (memory.places !== 'asking' && memory.places.length > 0) {
    const [placement, ...others] = memory.places;
    await ensureFinalizer(pass);
    note(pass, { placement, previousPlacements: [...draft.previousPlacements, ...others] });
    await observe(pass).catch(ignoreComputeError);
  }
}

async function askByOwner(pass: Pass): Promise<void> {
  const { deps, memory, tenant } = pass;
  memory.places = 'asking';
  // What can't be told now is asked again by the next pass.
  memory.places = await placesByOwner(pass, new AbortController().signal).catch(() => undefined);
  if ((memory.places ?? []).length > 0) deps.lookAgainWithin(keyOf(tenant), 0);
}

/** The tenant's id; the oldest Tenant has it. */
function identify({ deps, tenant }: Pass, { tenantId }: TenantSpec): string {
  const { namespace, name } = tenant.metadata;
  const id = tenantId ?? defaultTenantId(namespace, name);
  const claimants = deps.index.keysOf(id).flatMap((key) => deps.tenantOf(key) ?? []);
  const owner = oldestTenant(claimants) ?? tenant;
  if (keyOf(owner) === keyOf(tenant)) return id;
  throw new ComputeError(
    'ProviderConflict',
    `tenant id "${id}" belongs to Tenant ${keyOf(owner)}, which is older; delete one of the two, or set spec.tenantId on a new one`,
  );
}

function choose({ deps, tenant, draft }: Pass, spec: TenantSpec): EnabledProvider {
  const name = chooseProvider({
    computeProvider: spec.computeProvider,
    labels: tenant.metadata.labels,
    annotations: tenant.metadata.annotations,
    blocks: Object.keys(spec.computeConfig ?? {}),
    placedOn: draft.placement?.provider,
    enabled: [...deps.providers.keys()],
  });
  // chooseProvider returns only names of enabled ones.
  return deps.providers.get(name) as EnabledProvider;
}

async function resolve({ deps, tenant, draft, signal }: Pass, spec: TenantSpec, enabled: EnabledProvider) {
  const names = referencedSecrets(spec);
  const { namespace } = tenant.metadata;
  deps.index.setSecrets(keyOf(tenant), namespace, names);
  if (names.length > 0) await deps.watchSecrets();
  const secrets = createSecretReader(deps.secrets, namespace, signal);
  return resolveSpec({ tenant, tenantId: draft.tenantId ?? '', spec, enabled, secrets });
}

async function ensureFinalizer(pass: Pass): Promise<void> {
  if (pass.tenant.metadata.finalizers?.includes(finalizer) === true) return;
  pass.tenant = await pass.deps.writer.addFinalizer(pass.tenant, pass.signal);
}

/** To another place: under `approval: Always`, that waits, too. */
function moveThatWaits(pass: Pass, { approval }: TenantSpec, desired: Desired): Outcome | undefined {
  const { tenant, draft } = pass;
  const { placement } = draft;
  if (placement === undefined || jsonEqual(placement, desired.placement)) return undefined;
  const move: Change = {
    path: 'placement',
    desired: placeText(desired.placement),
    actual: placeText(placement),
    cause: 'spec',
    effect: 'replace',
  };
  const { permit, plan } = gate({ tenant, approval, desired, changes: [move], plan: draft.plan });
  if (permit !== undefined || plan === undefined) return undefined;
  note(pass, { plan });
  return { verdict: { kind: 'unapproved', message: approvalMessage(tenant, plan) }, repaired: [] };
}

/** Records where the tenant goes, and what it leaves, before anything is created there. */
async function place(pass: Pass, { definition }: EnabledProvider, target: Placement): Promise<void> {
  const { draft, tenant } = pass;
  const current = draft.placement;
  if (current !== undefined && jsonEqual(current, target)) return;
  const left = current === undefined ? draft.previousPlacements : [...draft.previousPlacements, current];
  const previousPlacements = left.filter((placement) => !jsonEqual(placement, target));
  note(pass, { placement: target, previousPlacements });
  noteRetained(pass, []);
  // Without anything durable on either side there is nothing that a crash could leave behind.
  if (!definition.durable && previousPlacements.length === 0) return;
  note(pass, { rejected: undefined });
  const reason = current === undefined ? 'Provisioning' : reasonInTransition(tenant.status);
  const message = `${progressMessage(reason)} on ${definition.name}`;
  const verdict = { kind: 'progressing', reason, message, underWay: true } as const;
  await writeStatus(pass, summarise({ ...summaryOf(pass), verdict }));
}

async function observe(pass: Pass): Promise<void> {
  const { deps, draft, signal } = pass;
  if (draft.placement === undefined) return;
  const provider = deps.providers.get(draft.placement.provider)?.provider;
  const observation = await provider?.getStatus(placeAt(pass, draft.placement), undefined, {
    fresh: false,
    signal,
  });
  if (observation !== undefined) note(pass, { compute: observation.compute });
}

/** What runs is shown even where the spec is refused. An engine that can't be reached shows nothing. */
async function observeWhileFailing(pass: Pass, error: ComputeError): Promise<void> {
  const { compute } = pass.draft;
  if (error.code !== 'ProviderUnavailable') await observe(pass).catch(ignoreComputeError);
  else if (compute !== undefined)
    note(pass, { compute: { ...compute, state: 'unknown', health: 'unknown' } });
}

/** Undefined: there is nothing to write any more. */
async function finalize(pass: Pass): Promise<Outcome | undefined> {
  const { deps, tenant, signal } = pass;
  if (tenant.metadata.finalizers?.includes(finalizer) !== true) return undefined;
  const { verdict, destroyed, lookAgainAfterMs } = await deleteTenant(pass);
  if (verdict !== undefined) return { verdict, repaired: [], lookAgainAfterMs };
  await deps.writer.removeFinalizer(tenant, signal);
  if (destroyed !== undefined) record(pass, [destroyed]);
  return undefined;
}

async function writeStatus(pass: Pass, status: TenantStatus): Promise<void> {
  const { deps, memory, tenant, signal } = pass;
  memory.lastWrite = { status, at: deps.now().getTime() };
  pass.tenant = await deps.writer.writeStatus(tenant, status, signal);
}

function summaryOf({ tenant, draft, deps }: Pass) {
  return { previous: tenant.status, draft, generation: tenant.metadata.generation, now: deps.now() };
}

/** As Events and in the log. */
function record({ deps, tenant, draft }: Pass, events: ReturnType<typeof transitionEvents>): void {
  const { name, namespace, uid, resourceVersion } = tenant.metadata;
  const silent = deps.providers.get(draft.computeProvider ?? '')?.definition.durable === false;
  for (const event of events) {
    const level = event.type === 'Normal' ? 'info' : 'warn';
    deps.logger[level]({ tenant: keyOf(tenant), reason: event.reason }, event.note);
    // What was not really made is no news; what failed is.
    if (silent && event.type === 'Normal') continue;
    deps.events.emit({ regarding: { apiVersion, kind, name, namespace, uid, resourceVersion }, ...event });
  }
}
