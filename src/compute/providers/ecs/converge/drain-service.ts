import { ComputeError } from '../../../errors.ts';
import type { Consent } from '../../../permit.ts';
import type { DestroyResult } from '../../../provider.ts';
import { countBeforeDrain, drainingFrom, isToBeDrained } from '../state/marks/drain-mark.ts';
import type { EcsApi } from '../engine/ecs-api.ts';
import type { ServiceTarget } from '../address/service-target.ts';
import type { EcsService } from '../state/ecs-service.ts';
import { tagKeys, tagMap } from '../state/marks/tags.ts';
import { endScaling } from './apply-scaling.ts';
import { drainLookMs } from './attempt.ts';

export interface Draining {
  readonly target: ServiceTarget;
  readonly service: EcsService;
  readonly consent: Consent;
}

/** Scales the service to 0 where its mark asks for that. Undefined: it runs nothing (any more), or need not be drained. */
export async function drainService(
  api: EcsApi,
  { target, service, consent }: Draining,
  signal: AbortSignal,
): Promise<DestroyResult | 'cluster-gone' | undefined> {
  const { desiredCount = 0, runningCount = 0, pendingCount = 0 } = service;
  const left = runningCount + pendingCount;
  if (!isToBeDrained(tagMap(service.tags)) || (desiredCount === 0 && left === 0)) return undefined;
  if (desiredCount > 0) {
    const answer = await scaleToZero(api, { target, service, consent, desiredCount }, signal).catch(
      failDestroy,
    );
    if (answer === 'cluster-gone') return answer;
  }
  return {
    outcome: 'in_progress',
    message: `Draining service ${target.service}: ${left === 1 ? '1 task still runs' : `${left} tasks still run`}`,
    lookAgainAfterMs: drainLookMs,
  };
}

/** The mark goes first: whoever finds 0 tasks asked for can tell how many there were. */
async function scaleToZero(
  api: EcsApi,
  { target, service, consent, desiredCount }: Draining & { readonly desiredCount: number },
  signal: AbortSignal,
): ReturnType<EcsApi['updateService']> {
  const { scope, cluster, service: name } = target;
  await endScaling(api, { target: { scope, cluster, service: name }, service, consent }, signal);
  if (countBeforeDrain(tagMap(service.tags)) === undefined) {
    const mark = { key: tagKeys.drain, value: drainingFrom(desiredCount) };
    await api.tagResource(scope, service.serviceArn ?? '', [mark], signal);
  }
  return api.updateService(scope, { cluster, service: name, desiredCount: 0 }, consent, signal);
}

/** What is refused here is no update of the tenant. */
function failDestroy(error: unknown): never {
  if (error instanceof ComputeError && (error.code === 'UpdateFailed' || error.code === 'InvalidSpec')) {
    throw new ComputeError('DestroyFailed', `can't be drained: ${error.message}`);
  }
  throw error;
}
