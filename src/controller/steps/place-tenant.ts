import type { Placement } from '../../api/status.ts';
import type { TenantSpec } from '../../api/tenant.ts';
import { isSamePlace, placeText } from '../../compute/place.ts';
import type { Change, Desired } from '../../compute/provider.ts';
import type { EnabledProvider } from '../../compute/selection/enabled-providers.ts';
import { summaryOf, writeStatus } from '../conclude.ts';
import { note } from '../pass.ts';
import type { Outcome, Pass } from '../pass.ts';
import { dataAt } from '../status/lost-data.ts';
import { progressMessage, reasonInTransition } from '../status/reasons.ts';
import { summarise } from '../status/summarise.ts';
import { noteRetained } from './delete-tenant.ts';
import { approvalMessage, gate } from './gate.ts';

/** Where a tenant goes, and what it leaves for that. */

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

/** Records where the tenant goes, and what it leaves, before anything is created there. */
export async function place(pass: Pass, { definition }: EnabledProvider, target: Placement): Promise<void> {
  const { draft, tenant } = pass;
  const current = draft.placement;
  if (isSamePlace(current, target)) return;
  const left = current === undefined ? draft.previousPlacements : [...draft.previousPlacements, current];
  const previousPlacements = left.filter((placement) => !isSamePlace(placement, target));
  // Elsewhere, it may do.
  pass.memory.rejected = undefined;
  note(pass, {
    placement: target,
    previousPlacements,
    appliedGeneration: undefined,
    data: dataAt(target, draft),
  });
  noteRetained(pass, []);
  if (current === undefined) pass.memory.readyGeneration ??= 'never';
  // Without anything durable on either side there is nothing that a crash could leave behind.
  if (!definition.durable && previousPlacements.length === 0) return;
  note(pass, { rejected: undefined });
  const reason = current === undefined ? 'Provisioning' : reasonInTransition(tenant.status);
  const message = `${progressMessage(reason)} on ${definition.name}`;
  const verdict = { kind: 'progressing', reason, message, underWay: true } as const;
  await writeStatus(pass, summarise({ ...summaryOf(pass), verdict }));
}
