import type { OnChange } from '../../../provider.ts';
import type { EcsReads } from '../engine/ecs-api.ts';
import { isAsMarked, isScaled } from '../state/scaling/compare-scaling.ts';
import { seenScaling } from '../state/scaling/seen-scaling.ts';
import { isSameShown } from '../state/scaling/scaling.ts';
import type { ServiceView, WatchedService } from './service-view.ts';

export interface ScalingSweep {
  readonly api: Pick<EcsReads, 'describeScaling'>;
  readonly view: ServiceView;
  /** Called with the first failure of a sweep. */
  readonly failed: (error: unknown) => void;
}

/**
 * Looks at the autoscaling of every service that has some, one after the other: two calls each, for which those of people
 * never wait. Never rejects.
 */
export async function sweepScalingOnce(
  { api, view, failed }: ScalingSweep,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  for (const watched of view.watched()) {
    if (signal.aborted) return;
    try {
      if (await isNews({ api, view }, watched, signal)) onChange(watched.tenantId);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0 && !signal.aborted) failed(failures[0]);
}

/** Whether it is not what was known; where nothing was, whether it is not what was applied. */
async function isNews(
  { api, view }: Pick<ScalingSweep, 'api' | 'view'>,
  { target }: WatchedService,
  signal: AbortSignal,
): Promise<boolean> {
  const service = view.last(target);
  if (service === undefined || !isScaled(service)) return false;
  const before = view.scaling(target);
  const moment = view.moment();
  const scaling = seenScaling(await api.describeScaling(target, 'sweep', signal));
  // Somebody has changed it meanwhile, or looked at it.
  if (view.scaling(target) !== before || view.isStale(target, moment)) return false;
  view.storeScaling(target, scaling);
  return before === undefined ? !isAsMarked(service, scaling) : !isSameShown(before, scaling);
}
