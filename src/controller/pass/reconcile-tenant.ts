import { apiVersion, finalizer, kind, reconcileRequestedAt } from '../../api/names.ts';
import type { Placement, TenantStatus } from '../../api/status.ts';
import type { Tenant, TenantSpec } from '../../api/tenant.ts';
import { chooseProvider } from '../../compute/selection/choose-provider.ts';
import type { EnabledProvider } from '../../compute/selection/enabled-providers.ts';
import { ComputeError } from '../../compute/errors.ts';
import { defaultTenantId } from '../../compute/spec/tenant-id.ts';
import { jsonEqual } from '../../kube/client/merge-patch.ts';
import { keyOf } from '../../kube/client/kube-object.ts';
import type { ProcessResult } from '../../kube/queue/work-queue.ts';
import { converge, progressMessage, reasonInTransition, repairKind } from './converge.ts';
import type { Convergence } from './converge.ts';
import { deleteTenant } from './delete-tenant.ts';
import { ignoreComputeError, leavePreviousPlacements } from './previous-placements.ts';
import type { ReconcileContext } from './reconcile-context.ts';
import { requeue, unavailableGraceLeftMs } from './requeue.ts';
import { parseTenantSpec, referencedSecrets, resolveSpec } from './resolve-spec.ts';
import { createSecretReader } from '../secrets/secret-reader.ts';
import { draftFrom } from './status-draft.ts';
import { placedAt } from './pass.ts';
import type { Pass } from './pass.ts';
import { isProgressOnly } from '../status/status-debounce.ts';
import { summarise } from '../status/summarise.ts';
import { oldestTenant } from '../tenant-index.ts';
import { transitionEvents } from '../status/transition-events.ts';

/** One pass over one Tenant: everything happens on a draft in memory, and its end is one write of the status. */
export async function reconcileTenant(
  context: ReconcileContext,
  tenant: Tenant,
  signal: AbortSignal,
): Promise<ProcessResult> {
  const pass: Pass = { context, tenant, draft: draftFrom(tenant.status), signal };
  const convergence =
    tenant.metadata.deletionTimestamp === undefined ? await drive(pass) : await deletion(pass);
  if (convergence === undefined) return {};
  const { verdict, repaired } = convergence;
  const graceMs = unavailableGraceLeftMs(pass, verdict);
  if (graceMs > 0) {
    context.lookAgainWithin(keyOf(tenant), graceMs);
    return { failed: true };
  }
  const result = requeue(convergence);
  const status = summarise({ ...summaryOf(pass), verdict });
  if (!isProgressOnly(pass, status, result.requeueAfterMs)) {
    const previous = pass.tenant.status;
    await writeStatus(pass, status);
    tell(pass, transitionEvents(previous, status, repaired));
  }
  const key = keyOf(tenant);
  if (repaired.length > 0) context.repairs.repaired(key, repairKind(repaired));
  else if (verdict.kind === 'ready') context.repairs.forget(key);
  return result;
}

async function drive(pass: Pass): Promise<Convergence> {
  try {
    return await steps(pass);
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    await observeWhileFailing(pass, error);
    return { verdict: { kind: 'failed', error }, repaired: [] };
  }
}

/** The ordered steps. Each throws ComputeError where the tenant can't go on; nothing is created before `place`. */
async function steps(pass: Pass): Promise<Convergence> {
  const { context, draft, signal } = pass;
  const tenantSpec = parseTenantSpec(context.specSchema, pass.tenant);
  draft.tenantId = identify(pass, tenantSpec);
  if (tenantSpec.suspend) {
    await observeWhileSuspended(pass);
    return { verdict: { kind: 'suspended' }, repaired: [] };
  }
  const enabled = choose(pass, tenantSpec);
  const spec = await resolve(pass, tenantSpec, enabled);
  const desired = enabled.provider.desired(spec);
  await enabled.provider.validate(desired, signal);
  await ensureFinalizer(pass);
  await place(pass, enabled, desired.placement);
  const requestedAt = pass.tenant.metadata.annotations?.[reconcileRequestedAt];
  const convergence = await converge({
    tenant: pass.tenant,
    tenantSpec,
    desired,
    enabled,
    draft,
    requestedAt,
    repairWaitMs: (kind) => context.repairs.waitMs(keyOf(pass.tenant), kind),
    signal,
  });
  draft.lastHandledReconcileAt = requestedAt;
  return leavePreviousPlacements(pass, convergence);
}

/** The tenant's id; the oldest Tenant has it. */
function identify({ context, tenant }: Pass, { tenantId }: TenantSpec): string {
  const { namespace, name } = tenant.metadata;
  const id = tenantId ?? defaultTenantId(namespace, name);
  const claimants = context.index.keysOf(id).flatMap((key) => context.tenantOf(key) ?? []);
  const owner = oldestTenant(claimants) ?? tenant;
  if (keyOf(owner) === keyOf(tenant)) return id;
  throw new ComputeError(
    'ProviderConflict',
    `tenant id "${id}" belongs to Tenant ${keyOf(owner)}, which is older; delete one of the two, or set spec.tenantId on a new one`,
  );
}

function choose({ context, tenant, draft }: Pass, spec: TenantSpec): EnabledProvider {
  const name = chooseProvider({
    computeProvider: spec.computeProvider,
    labels: tenant.metadata.labels,
    annotations: tenant.metadata.annotations,
    blocks: Object.keys(spec.computeConfig ?? {}),
    placedOn: draft.placement?.provider,
    enabled: [...context.providers.keys()],
  });
  draft.computeProvider = name;
  // chooseProvider returns only names of enabled ones.
  return context.providers.get(name) as EnabledProvider;
}

async function resolve({ context, tenant, draft, signal }: Pass, spec: TenantSpec, enabled: EnabledProvider) {
  const names = referencedSecrets(spec);
  const { namespace } = tenant.metadata;
  context.index.setSecrets(keyOf(tenant), namespace, names);
  if (names.length > 0) await context.watchSecrets();
  const secrets = createSecretReader(context.secrets, namespace, signal);
  return resolveSpec({ tenant, tenantId: draft.tenantId ?? '', spec, enabled, secrets });
}

async function ensureFinalizer(pass: Pass): Promise<void> {
  if (pass.tenant.metadata.finalizers?.includes(finalizer) === true) return;
  pass.tenant = await pass.context.writer.addFinalizer(pass.tenant, pass.signal);
}

/** Records where the tenant goes, and what it leaves, before anything is created there. */
async function place(pass: Pass, { definition }: EnabledProvider, target: Placement): Promise<void> {
  const { draft, tenant } = pass;
  const current = draft.placement;
  if (current !== undefined && jsonEqual(current, target)) return;
  const left = current === undefined ? draft.previousPlacements : [...draft.previousPlacements, current];
  draft.previousPlacements = left.filter((placement) => !jsonEqual(placement, target));
  draft.placement = target;
  // Without anything durable on either side there is nothing that a crash could leave behind.
  if (!definition.durable && draft.previousPlacements.length === 0) return;
  draft.rejected = undefined;
  const reason = current === undefined ? 'Provisioning' : reasonInTransition({ tenant });
  const message = `${progressMessage(reason)} on ${definition.name}`;
  const verdict = { kind: 'progressing', reason, message, underWay: true } as const;
  await writeStatus(pass, summarise({ ...summaryOf(pass), verdict }));
}

async function observeWhileSuspended(pass: Pass): Promise<void> {
  const { context, draft, signal } = pass;
  if (draft.placement === undefined) return;
  const provider = context.providers.get(draft.placement.provider)?.provider;
  const observation = await provider?.getStatus(placedAt(pass, draft.placement), undefined, {
    fresh: false,
    signal,
  });
  if (observation !== undefined) draft.compute = observation.compute;
}

/** What runs is shown even where the spec is refused. An engine that can't be reached shows nothing. */
async function observeWhileFailing(pass: Pass, error: ComputeError): Promise<void> {
  const { draft } = pass;
  if (error.code !== 'ProviderUnavailable') {
    await observeWhileSuspended(pass).catch(ignoreComputeError);
  } else if (draft.compute !== undefined) {
    draft.compute = { ...draft.compute, state: 'unknown', health: 'unknown' };
  }
}

async function deletion(pass: Pass): Promise<Convergence | undefined> {
  const { context, tenant, signal } = pass;
  if (tenant.metadata.finalizers?.includes(finalizer) !== true) return undefined;
  const { verdict, destroyed, lookAgainAfterMs } = await deleteTenant(pass);
  if (verdict !== undefined) return { verdict, repaired: [], lookAgainAfterMs };
  await context.writer.removeFinalizer(tenant, signal);
  if (destroyed !== undefined) tell(pass, [destroyed]);
  return undefined;
}

async function writeStatus(pass: Pass, status: TenantStatus): Promise<void> {
  const { context, tenant, signal } = pass;
  context.lastWrites.set(keyOf(tenant), { status, at: context.now().getTime() });
  pass.tenant = await context.writer.writeStatus(tenant, status, signal);
}

function summaryOf({ tenant, draft, context }: Pass) {
  return { previous: tenant.status, draft, generation: tenant.metadata.generation, now: context.now() };
}

function tell({ context, tenant, draft }: Pass, events: ReturnType<typeof transitionEvents>): void {
  const { name, namespace, uid, resourceVersion } = tenant.metadata;
  const silent = context.providers.get(draft.computeProvider ?? '')?.definition.durable === false;
  for (const event of events) {
    const level = event.type === 'Normal' ? 'info' : 'warn';
    context.logger[level]({ tenant: keyOf(tenant), reason: event.reason }, event.note);
    // What was not really made is no news; what failed is.
    if (silent && event.type === 'Normal') continue;
    context.events.emit({ regarding: { apiVersion, kind, name, namespace, uid, resourceVersion }, ...event });
  }
}
