import type { ComputeStatusBlock, DriftItem, Placement, TenantStatus } from '../../api/status.ts';

/** The facts of the status that a pass gathers on its way; conditions and times are added at its end. */
export interface StatusDraft {
  tenantId: string | undefined;
  computeProvider: string | undefined;
  placement: Placement | undefined;
  previousPlacements: readonly Placement[];
  rejected: TenantStatus['rejected'];
  compute: ComputeStatusBlock | undefined;
  drift: readonly DriftItem[];
  lastHandledReconcileAt: string | undefined;
}

export function draftFrom(status: TenantStatus | undefined): StatusDraft {
  return {
    tenantId: status?.tenantId,
    computeProvider: status?.computeProvider,
    placement: status?.placement,
    previousPlacements: status?.previousPlacements ?? [],
    rejected: status?.rejected,
    compute: status?.compute,
    drift: status?.drift ?? [],
    lastHandledReconcileAt: status?.lastHandledReconcileAt,
  };
}
