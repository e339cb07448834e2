import { distinctPlaces, isSamePlace } from '../../compute/place.ts';
import type { TenantStatus } from '../../api/status.ts';
import { keyOf } from '../../kube/client/kube-object.ts';
import { jsonEqual } from '../../kube/client/merge-patch.ts';
import { writeStatus } from '../conclude.ts';
import { draftFrom, note } from '../pass.ts';
import type { Pass } from '../pass.ts';
import { keptStatus } from '../status/kept-status.ts';
import { noteWhereabouts } from '../tenant-memory.ts';
import { noteRetained } from './delete-tenant.ts';

/**
 * What the pass begins with. What the CRD would refuse with every later write is taken out of the stored status, and
 * observed anew. Where the tenant is can't be observed once the config leads elsewhere: of what is gone of that, this
 * process puts back what it knows.
 */
export async function takeStored(pass: Pass): Promise<void> {
  const { status } = pass.tenant;
  const kept = status && soundOf(pass, status);
  pass.draft = draftFrom(kept);
  if (kept !== status || kept?.placement === undefined) putBack(pass);
  noteWhereabouts(pass.memory, pass.draft);
  if (kept === undefined || kept === status) return;
  pass.deps.logger.warn(
    { tenant: keyOf(pass.tenant) },
    'the stored status is not as it may be; what is wrong with it is dropped',
  );
  const { placement, previousPlacements, retained } = pass.draft;
  await writeStatus(pass, {
    ...kept,
    ...(placement && { placement }),
    ...(previousPlacements.length > 0 && { previousPlacements: [...previousPlacements] }),
    ...(retained.length > 0 && { retained: [...retained] }),
  });
}

/** Most passes begin with what the one before began with, and comparing is quicker than parsing. */
function soundOf({ memory }: Pass, status: TenantStatus): TenantStatus {
  const kept = jsonEqual(memory.soundStatus, status) ? status : keptStatus(status);
  memory.soundStatus = kept === status ? status : undefined;
  return kept;
}

function putBack(pass: Pass): void {
  const known = pass.memory.whereabouts;
  if (known === undefined) return;
  const { tenantId = known.tenantId, placement = known.placement, previousPlacements } = pass.draft;
  const left = distinctPlaces([...previousPlacements, ...known.previousPlacements]);
  note(pass, { tenantId, placement, previousPlacements: left.filter((one) => !isSamePlace(one, placement)) });
  noteRetained(pass, known.retained);
}
