import { finalizer } from '../api/names.ts';
import { isOnlyObserved } from '../api/tenant.ts';
import type { Tenant, TenantSpec } from '../api/tenant.ts';
import { ComputeError } from '../compute/errors.ts';
import type { EnabledProvider } from '../compute/selection/enabled-providers.ts';
import { denied } from '../compute/policy.ts';
import { unknownLabels } from '../compute/policy-by-namespace.ts';
import { keyOf } from '../kube/client/kube-object.ts';
import type { ProcessResult } from '../kube/queue/work-queue.ts';
import { attended } from './attended-provider.ts';
import { conclude, record } from './conclude.ts';
import { defect } from './defect.ts';
import { asRemembered } from './observe/as-remembered.ts';
import { observeOnly } from './observe/observe-only.ts';
import { observe } from './observe/observe.ts';
import { seeInPlace } from './observe/see-in-place.ts';
import { draftFrom, note, requestedAt, shownOf } from './pass.ts';
import type { Outcome, Pass, ReconcileDeps } from './pass.ts';
import { rememberedSecrets } from './sources/remembered-secrets.ts';
import { isLostContact } from './status/contact.ts';
import { noteLost } from './status/lost-data.ts';
import { isReady, readyGeneration } from './status/ready.ts';
import { converge, newsOf } from './steps/converge.ts';
import { deleteTenant } from './steps/delete-tenant.ts';
import { completePlaces } from './steps/complete-places.ts';
import { ignoreComputeError, leavePreviousPlacements } from './steps/previous-placements.ts';
import { crowdedMove } from './steps/crowded-move.ts';
import { desiredAnew, moveThatWaits, place, placed } from './steps/place.ts';
import { identify } from './steps/identify.ts';
import { placesByOwner } from './steps/places-by-owner.ts';
import { noteRejection, recallRejection } from './steps/rejections.ts';
import { takeStored } from './steps/stored-status.ts';
import { fleetTurn, heldMove, whileHeld } from './steps/turn.ts';
import { repairWaitMs } from './tenant-memory.ts';
import { choosable, choose } from './wanted/choose.ts';
import { resolve, specOf } from './wanted/resolve.ts';

/** One pass over one Tenant: everything happens on a draft in memory, and its end is one write of the status. */
export async function reconcileTenant(
  deps: ReconcileDeps,
  tenant: Tenant,
  signal: AbortSignal,
): Promise<ProcessResult> {
  const memory = deps.memories.of(keyOf(tenant));
  if (memory.letGo === tenant.metadata.uid) return {};
  const pass: Pass = { deps, tenant, draft: draftFrom(tenant.status), memory, signal };
  const outcome = await outcomeOf(pass);
  if (pass.unanswered !== true) memory.unansweredSince = undefined;
  const result = outcome === undefined ? {} : await conclude(pass, outcome);
  settleRollout(pass);
  return result;
}

/** Nobody waits for one that goes, or that is gone by now. */
function settleRollout({ deps, tenant, draft }: Pass): void {
  const { uid, deletionTimestamp } = tenant.metadata;
  const key = keyOf(tenant);
  const isGone = deletionTimestamp !== undefined || deps.tenantOf(key)?.metadata.uid !== uid;
  if (isGone) deps.rollouts.forget(key);
  else deps.rollouts.settle(key, { provider: draft.computeProvider, state: draft.rollout?.state });
}

/** Undefined: there is nothing to write any more. */
async function outcomeOf(pass: Pass): Promise<Outcome | undefined> {
  try {
    await takeStored(pass);
    const { status } = pass.tenant;
    // Of what is only observed, nobody has made this generation so.
    if (isReady(pass.tenant) && status?.phase !== 'Observed')
      pass.memory.readyGeneration = readyGeneration(status);
    return pass.tenant.metadata.deletionTimestamp === undefined ? await runSteps(pass) : await finalize(pass);
  } catch (error) {
    return defect(pass, error);
  }
}

async function runSteps(pass: Pass): Promise<Outcome | undefined> {
  const outcome = await reconcileSteps(pass).catch((error: unknown) => failure(pass, error));
  if (outcome === undefined) return undefined;
  const { verdict } = outcome;
  if (verdict.kind === 'suspended' || (verdict.kind === 'failed' && !isOnlyObserved(pass.tenant)))
    await takeBack(pass);
  // What runs is shown even where the spec is refused.
  if (verdict.kind === 'failed' && !isLostContact(verdict.error))
    await observe(pass).catch(verdict.error.code === 'InternalError' ? () => undefined : ignoreComputeError);
  return outcome;
}

function failure(pass: Pass, error: unknown): Outcome {
  return error instanceof ComputeError
    ? { verdict: { kind: 'failed', error }, repaired: [] }
    : defect(pass, error);
}

async function reconcileSteps(pass: Pass): Promise<Outcome | undefined> {
  const tenantSpec = specOf(pass);
  return tenantSpec.mode === 'Observe' ? observeOnly(pass, tenantSpec) : manage(pass, tenantSpec);
}

/** Undefined: it is too early to say anything. */
async function manage(pass: Pass, tenantSpec: TenantSpec): Promise<Outcome | undefined> {
  if (tenantSpec.suspend && pass.draft.placement === undefined) return suspended(pass);
  note(pass, { tenantId: await identify(pass, tenantSpec, () => choosable(pass, tenantSpec)) });
  if (tenantSpec.suspend) return suspended(pass);
  assertMayRetain(pass, tenantSpec);
  const chosen = choose(pass, tenantSpec);
  note(pass, { computeProvider: chosen.definition.name });
  const remembered = await asRemembered(pass, tenantSpec, chosen);
  if (remembered !== undefined) return remembered;
  await seeInPlace(pass, tenantSpec, chosen);
  return drive(pass, tenantSpec, attended(pass, chosen));
}

/**
 * The ordered steps. Each throws ComputeError where the tenant can't go on; nothing is created before `place`. Undefined: it
 * is too early to say anything.
 */
async function drive(
  pass: Pass,
  tenantSpec: TenantSpec,
  enabled: EnabledProvider,
): Promise<Outcome | undefined> {
  const { deps, memory, signal } = pass;
  const spec = await resolve(pass, tenantSpec, enabled);
  if (spec === undefined) return undefined;
  const desired = await placed(enabled, enabled.provider.desired(spec), signal);
  pass.specHash = desired.specHash;
  note(pass, { secrets: rememberedSecrets(desired, pass.secretsRead ?? []) });
  await enabled.provider.validate(desired, signal);
  const isKnown = pass.tenant.metadata.finalizers?.includes(finalizer) === true;
  await ensureFinalizer(pass);
  // A status that somebody has wiped: whatever is elsewhere is left, not lost.
  if (isKnown && pass.draft.placement === undefined) {
    note(pass, { previousPlacements: (await placesByOwner(pass, signal)).places });
  }
  await completePlaces(pass);
  const news = newsOf({ ...pass, requestedAt: requestedAt(pass) }, isKnown);
  const turn = fleetTurn(pass, desired, news !== 'none' || pass.hasNewImages === true);
  const waiting =
    moveThatWaits(pass, tenantSpec, desired) ??
    heldMove(pass, desired, turn) ??
    (await crowdedMove(pass, desired));
  if (waiting !== undefined) {
    await observe(pass);
    return typeof waiting === 'string' ? whileHeld(pass, waiting) : waiting;
  }
  const isMove = await place(pass, enabled, desired.placement);
  recallRejection(pass, desired);
  const leaving = pass.draft.previousPlacements.filter(({ provider }) => provider === enabled.provider.name);
  const { facts, ...outcome } = await converge({
    tenant: pass.tenant,
    driftPolicy: tenantSpec.driftPolicy,
    approval: tenantSpec.approval,
    desired: {
      ...(isMove ? desiredAnew(enabled, spec, desired) : desired),
      ...(leaving.length === 0 ? {} : { leaving }),
      ...(pass.draft.data.length === 0 ? {} : { had: pass.draft.data }),
      ...(isMove ? {} : shownOf(pass.draft)),
    },
    enabled,
    draft: pass.draft,
    requestedAt: requestedAt(pass),
    // What is at the place that it comes to, nobody has looked at.
    news: isMove ? 'first' : news,
    turn: isMove ? undefined : turn,
    repairWaitMs: (repair) => repairWaitMs(memory, repair, deps.now().getTime()),
    signal,
  });
  note(pass, facts);
  noteRejection(pass);
  noteLost(pass, outcome.lost ?? []);
  if (outcome.verdict.kind === 'failed') return outcome;
  note(pass, { lastHandledReconcileAt: requestedAt(pass) });
  return leavePreviousPlacements(pass, outcome);
}

/**
 * What a Tenant of that name left behind, or what a status named that somebody has wiped since, is this one's: it is
 * shown, and it stays this one's to remove, although nothing is driven. No pass waits for the engines' answers: one of
 * them may hang, and this one's spec has nothing to do with it.
 */
async function takeBack(pass: Pass): Promise<void> {
  const { deps, memory, draft } = pass;
  if (draft.placement !== undefined) memory.places = undefined;
  else if (memory.places === undefined) void askByOwner(pass);
  else if (memory.places !== 'asking' && memory.places.places.length > 0) {
    const { tenantId, places } = memory.places;
    const [placement, ...others] = places;
    await ensureFinalizer(pass);
    note(pass, { tenantId, placement, previousPlacements: [...draft.previousPlacements, ...others] });
    await observe(pass).catch(ignoreComputeError);
    // A refusal may not hold for what has its place already.
    deps.lookAgainWithin(keyOf(pass.tenant), takenBackMs);
  }
}

/** By then, the status says so. */
const takenBackMs = 1_000;

/** A restart of an engine takes seconds. */
const askAgainMs = 30_000;

async function askByOwner(pass: Pass): Promise<void> {
  const { deps, memory, tenant } = pass;
  memory.places = 'asking';
  memory.places = await placesByOwner(pass, new AbortController().signal).catch(() => undefined);
  // What can't be told now is asked again: nothing else may be reason for a pass over a Tenant that is suspended.
  if (memory.places === undefined) deps.lookAgainWithin(keyOf(tenant), askAgainMs);
  else if (memory.places.places.length > 0) deps.lookAgainWithin(keyOf(tenant), 0);
}

/** Nothing is changed outside; what runs is looked at. */
async function suspended(pass: Pass): Promise<Outcome> {
  const unseen = await observe(pass).then(() => undefined, onlyLostContact);
  return { verdict: { kind: 'suspended', ...(unseen !== undefined && { unseen }) }, repaired: [] };
}

function onlyLostContact(error: unknown): ComputeError {
  if (!(error instanceof ComputeError) || !isLostContact(error)) throw error;
  return error;
}

/** Throws PolicyDenied where it asks to leave behind what it runs, and may not; AccessDenied where nobody can tell. */
function assertMayRetain({ deps, tenant }: Pass, { deletionPolicy }: TenantSpec): void {
  const { namespace } = tenant.metadata;
  if (deletionPolicy !== 'Retain') return;
  const mayRetain = deps.mayRetain(namespace);
  if (mayRetain === undefined) throw unknownLabels(namespace);
  if (mayRetain) return;
  throw denied(
    'allow_retain',
    'spec.deletionPolicy is Retain',
    'Set it to Delete (volumePolicy keeps the volumes)',
  );
}

async function ensureFinalizer(pass: Pass): Promise<void> {
  if (pass.tenant.metadata.finalizers?.includes(finalizer) === true) return;
  pass.tenant = await pass.deps.writer.addFinalizer(pass.tenant, pass.signal);
}

/** Undefined: there is nothing to write any more. */
async function finalize(pass: Pass): Promise<Outcome | undefined> {
  const { deps, tenant, signal } = pass;
  if (tenant.metadata.finalizers?.includes(finalizer) !== true) return undefined;
  const { verdict, destroyed, lookAgainAfterMs } = await deleteTenant(pass);
  if (verdict !== undefined) return { verdict, repaired: [], lookAgainAfterMs };
  const removed = await deps.writer.removeFinalizer(tenant, signal);
  pass.memory.letGo = tenant.metadata.uid;
  if (removed && destroyed !== undefined) record(pass, [destroyed]);
  return undefined;
}
