import type { ComputeStatusBlock, Placement } from '../../api/status.ts';
import type { Tenant, TenantSpec } from '../../api/tenant.ts';
import { isSamePlace, located, maybeSamePlace, placeText } from '../../compute/place.ts';
import type { Change, Desired } from '../../compute/provider.ts';
import type { EnabledProvider, EnabledReads } from '../../compute/selection/enabled-providers.ts';
import type { TenantComputeSpec } from '../../compute/spec/tenant-compute-spec.ts';
import { summaryOf, writeStatus } from '../conclude.ts';
import { note } from '../pass.ts';
import type { Outcome, Pass } from '../pass.ts';
import { dataAt } from '../status/lost-data.ts';
import { progressMessage, reasonInTransition } from '../status/reasons.ts';
import { summarise } from '../status/summarise.ts';
import { noteRetained } from './delete-tenant.ts';
import { leftBehind } from './crowded-move.ts';
import { approvalMessage, gate } from './gate.ts';

/** Where a tenant goes, and what it leaves for that. */

export async function placed(
  { provider }: Pick<EnabledReads, 'provider'>,
  desired: Desired,
  signal: AbortSignal,
): Promise<Desired> {
  return { ...desired, placement: await located(provider, desired.placement, signal) };
}

/** To another place: under `approval: Always`, that waits, too. */
export function moveThatWaits(pass: Pass, { approval }: TenantSpec, desired: Desired): Outcome | undefined {
  const { tenant, draft } = pass;
  const { placement } = draft;
  if (placement === undefined || isSamePlace(placement, desired.placement)) return undefined;
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

/** Records where the tenant goes, and what it leaves, before anything is created there. Returns whether it leaves something. */
export async function place(
  pass: Pass,
  { definition }: EnabledProvider,
  target: Placement,
): Promise<boolean> {
  const { draft, tenant } = pass;
  const current = draft.placement;
  if (isSamePlace(current, target)) {
    // What this process remembers, and the status does not have: a write that failed, or a hand that took it out.
    if (definition.durable && !isStored(tenant, target)) await writeProgress(pass, definition.name);
    return false;
  }
  const isMove = current !== undefined;
  const previousPlacements = leftBehind(draft, target);
  // Elsewhere, it may do.
  pass.memory.rejected = undefined;
  note(pass, {
    placement: target,
    previousPlacements,
    compute: isMove && draft.compute !== undefined ? withoutEnds(draft.compute) : draft.compute,
    appliedGeneration: undefined,
    data: dataAt(target, draft),
  });
  noteRetained(pass, []);
  if (!isMove) pass.memory.readyGeneration ??= 'never';
  // Without anything durable on either side there is nothing that a crash could leave behind.
  if (!definition.durable && previousPlacements.length === 0) return isMove;
  note(pass, { rejected: undefined });
  await writeProgress(pass, definition.name);
  return isMove;
}

function isStored({ status }: Tenant, place: Placement): boolean {
  return status?.placement !== undefined && maybeSamePlace(status.placement, place);
}

async function writeProgress(pass: Pass, provider: string): Promise<void> {
  const { status } = pass.tenant;
  const reason = status?.placement === undefined ? 'Provisioning' : reasonInTransition(status);
  const message = `${progressMessage(reason)} on ${provider}`;
  const verdict = { kind: 'progressing', reason, message, underWay: true } as const;
  await writeStatus(pass, summarise({ ...summaryOf(pass), verdict }));
}

/** The same state as what a move begins with. */
export function desiredAnew(
  { provider }: EnabledProvider,
  { before, ...spec }: TenantComputeSpec,
  { placement }: Desired,
): Desired {
  const known = before === undefined ? {} : { before: withoutEnds(before) };
  return { ...provider.desired({ ...spec, ...known }), placement };
}

/** A job that ran to its end did so there; the data that it did it for stays there, too. */
function withoutEnds(compute: ComputeStatusBlock): ComputeStatusBlock {
  const { containers } = compute;
  if (containers === undefined) return compute;
  return { ...compute, containers: containers.map(({ completed: _there, ...container }) => container) };
}
