import { ComputeError } from '../../../errors.ts';
import type { Permit } from '../../../permit.ts';
import type { DestroyResult, StepResult, TenantPlace } from '../../../provider.ts';
import { atMost } from '../../../../async/at-most.ts';
import { serviceKey } from '../address/service-target.ts';
import type { ServiceTarget } from '../address/service-target.ts';
import { targetOf } from '../state/desired.ts';
import type { SecretVersions } from '../watch/secret-versions.ts';
import type { ServiceView } from '../watch/service-view.ts';
import type { Attempt, ConvergedGroups, ServiceDeps } from './attempt.ts';
import { convergeService } from './converge-service.ts';
import { destroyService } from './destroy-service.ts';
import type { DestroyDeps } from './destroy-service.ts';
import type { RevisionCleanup } from './revision-cleanup.ts';

/** What changes a service. Their contracts are those of the provider's operations, but for errors other than ours. */
export interface ServiceSteps {
  converge(attempt: Attempt, signal: AbortSignal): Promise<StepResult>;
  destroy(at: TenantPlace, permit: Permit, signal: AbortSignal): Promise<DestroyResult>;
}

export interface StepDeps extends Pick<ServiceDeps, 'api' | 'ownership'> {
  readonly view: ServiceView;
  readonly cleanup: RevisionCleanup;
  readonly secrets: Pick<SecretVersions, 'asked'>;
  readonly groups: ConvergedGroups;
}

/** The steps of one service one after the other. */
export function createServiceSteps({
  api,
  ownership,
  view,
  cleanup,
  secrets,
  groups,
}: StepDeps): ServiceSteps {
  const converging: ServiceDeps = {
    api,
    ownership,
    groups,
    noteCreate: (target) => view.noteCreate(target),
    noteRevision: (desired, permit) => cleanup.add(desired, permit),
  };
  const destroying: DestroyDeps = {
    api,
    ownership,
    groups,
    mayAppear: (target) => view.mayAppear(target),
  };
  const oneByOne = atMost(1);
  const step = <T>(target: ServiceTarget, signal: AbortSignal, act: () => Promise<T>): Promise<T> =>
    oneByOne(
      async () => {
        try {
          return await act();
        } finally {
          // Whatever was done or tried: what is known of it is stale.
          view.touch(target);
          view.storeScaling(target, undefined);
        }
      },
      { key: serviceKey(target), signal },
    );
  return {
    async converge(attempt, signal) {
      try {
        return await step(attempt.desired.target, signal, async () => {
          // What its tasks will read is no older than that.
          const desired = attempt.hold ? attempt.desired : await secrets.asked(attempt.desired, signal);
          return convergeService(converging, { ...attempt, desired }, signal);
        });
      } catch (error) {
        throw refusedAs(attempt.failure, error);
      }
    },
    async destroy(at, permit, signal) {
      const target = targetOf(at.placement, 'DestroyFailed');
      const result = await step(target, signal, () => destroyService(destroying, { at, permit }, signal));
      if (result.outcome === 'gone') view.forget(target);
      return result;
    },
  };
}

/** The client names a refusal by the call; here it is the operation that counts. */
function refusedAs(failure: Attempt['failure'], error: unknown): unknown {
  if (!(error instanceof ComputeError)) return error;
  const isOther =
    error.code !== failure && (error.code === 'ProvisionFailed' || error.code === 'UpdateFailed');
  return isOther ? new ComputeError(failure, error.message, { cause: error }) : error;
}
