import { findCondition } from '../../api/conditions.ts';
import type { TenantStatus } from '../../api/status.ts';
import { jsonEqual } from '../../kube/client/merge-patch.ts';
import type { Pass } from '../pass.ts';
import { freshMs } from './status-debounce.ts';

/**
 * In how many milliseconds what was told last may be told again, whatever wakes the tenant meanwhile: who writes
 * something else over it again and again is answered ever more slowly, and what an engine shows of a container that it
 * starts again and again is followed at a measured pace while that goes on, or while another try is waited for. What is new is
 * told at once.
 */
export function repeatWaitMs({ deps, memory, tenant }: Pass, next: TenantStatus): number {
  const { lastWrite, overwritten } = memory;
  const nowMs = deps.now().getTime();
  const isHeld = overwritten !== undefined && nowMs < overwritten.heldUntil;
  if (lastWrite === undefined || !(isHeld || next.retry !== undefined)) return 0;
  if (!isSameTale(lastWrite.status, next) || jsonEqual(tenant.status, next)) return 0;
  if (isSameTale(tenant.status, next)) return Math.max(0, shownAgainMs(next, lastWrite.at) - nowMs);
  return isHeld ? overwritten.heldUntil - nowMs : 0;
}

function shownAgainMs({ conditions }: TenantStatus, lastMs: number): number {
  return findCondition(conditions, 'Ready')?.status === 'False' ? lastMs + freshMs : 0;
}

/** Without the times, what Secrets came to, and what follows from how the containers run at the moment. */
function isSameTale(a: TenantStatus | undefined, b: TenantStatus): boolean {
  return jsonEqual(taleOf(a), taleOf(b));
}

function taleOf(status: TenantStatus | undefined) {
  const {
    compute: _compute,
    phase: _phase,
    retry: _retry,
    secrets: _secrets,
    conditions = [],
    ...rest
  } = status ?? {};
  return { ...rest, conditions: conditions.map(({ lastTransitionTime: _time, ...condition }) => condition) };
}
