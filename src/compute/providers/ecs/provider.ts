import { asComputeErrors, ComputeError } from '../../errors.ts';
import { ownershipOf } from '../../ownership.ts';
import type { CreateProvider, OwnedResource, Provider, ProviderContext, StepResult } from '../../provider.ts';
import type { TenantComputeSpec } from '../../spec/tenant-compute-spec.ts';
import { regionOf } from './arns.ts';
import { ecsOperatorBlock, ecsPolicyBlock } from './config.ts';
import type { EcsConfig, EcsOperatorBlock, EcsPolicy } from './config.ts';
import { convergeService } from './converge/converge-service.ts';
import type { Attempt, ServiceDeps } from './converge/converge-service.ts';
import { desireService, targetOf } from './state/desired.ts';
import type { DesiredService, EcsSettings } from './state/desired.ts';
import { destroyService } from './converge/destroy-service.ts';
import type { EcsApi } from './engine/ecs-api.ts';
import { serviceKey } from './service-target.ts';
import type { ServiceTarget } from './service-target.ts';
import { createEcsClient } from './engine/ecs-client.ts';
import { getStatus } from './watch/get-status.ts';
import type { StatusDeps } from './watch/get-status.ts';
import { listOwned } from './watch/owned-services.ts';
import { atMost } from '../../../async/at-most.ts';
import { createServiceView } from './watch/service-view.ts';
import type { ServiceView } from './watch/service-view.ts';
import { createTrickle } from './converge/revision-cleanup.ts';
import { ownerPrefix } from './state/tags.ts';
import { watchServices } from './watch/watch-services.ts';

/** One ECS service per tenant. What it promises stands in ../../provider.ts; this file only joins the parts. */

/** ECS calls a rollout COMPLETED within a minute or so; 15 s without a failed task will do where it never does. */
const defaultSettleMs = 15_000;

export interface EcsContext extends ProviderContext {
  /** Milliseconds that a rollout which ECS does not call COMPLETED must run in full to count as good. For tests. */
  readonly settleMs?: number;
}

export const createEcsProvider: CreateProvider = (options, context) => {
  const block = ecsOperatorBlock.parse(options.block);
  const policy = ecsPolicyBlock.parse(options.policy ?? {});
  const api = createEcsClient({ block, policy, logger: context.logger });
  return ecsProvider(api, block, policy, context);
};

export function ecsProvider(
  api: EcsApi,
  block: EcsOperatorBlock,
  policy: EcsPolicy,
  context: EcsContext,
): Provider<DesiredService> {
  const { instance, clusterUid, logger, sweepIntervalMs } = context;
  const owner = { instance, clusterUid, adoptClusters: block.adopt_clusters };
  const ownership = ownershipOf(owner, 'ecs', ownerPrefix);
  const settings: EcsSettings = { block, policy, commonPolicy: context.policy, ownership };
  const view = createServiceView(() => performance.now());
  const trickle = createTrickle({ api, ownership, logger });
  let watches = 0;
  const deps: ServiceDeps & StatusDeps = {
    isWatching: () => watches > 0,
    api,
    settings,
    view,
    seen: new Map(),
    clock: () => ({ nowMs: Date.now(), settleMs: context.settleMs ?? defaultSettleMs }),
    noteCreate: (target) => view.noteCreate(target),
    noteRevision: (desired) => trickle.add(desired),
  };
  const oneByOne = atMost(1);
  const converge = (attempt: Attempt, signal: AbortSignal): Promise<StepResult> =>
    asComputeErrors({ engine: 'ECS' }, async () => {
      const { target } = attempt.desired;
      try {
        return await oneByOne(() => touching(view, target, () => convergeService(deps, attempt, signal)), {
          key: serviceKey(target),
          signal,
        });
      } catch (error) {
        throw refusedAs(attempt.failure, error);
      }
    });

  return {
    name: 'ecs',
    desired: (spec: TenantComputeSpec<EcsConfig>) => desireService(spec, settings),
    // Whatever only ECS can tell is asked for with the write that needs it: a fleet at rest costs no call.
    validate: async () => undefined,
    provision: (desired, _permit, signal) =>
      converge({ desired, hold: false, failure: 'ProvisionFailed' }, signal),
    update: (desired, _permit, signal) => converge({ desired, hold: false, failure: 'UpdateFailed' }, signal),
    hold: (desired, _permit, signal) => converge({ desired, hold: true, failure: 'UpdateFailed' }, signal),
    destroy: (at, _permit, signal) =>
      asComputeErrors({ engine: 'ECS' }, async () => {
        const target = targetOf(at.placement, 'DestroyFailed');
        const mayAppear = (place: ServiceTarget): boolean => view.mayAppear(place);
        const result = await oneByOne(
          () => touching(view, target, () => destroyService({ api, ownership, mayAppear }, at, signal)),
          { key: serviceKey(target), signal },
        );
        if (result.outcome === 'gone') {
          view.forget(target);
          deps.seen.delete(serviceKey(target));
        }
        return result;
      }),
    getStatus: (at, against, how) =>
      asComputeErrors({ engine: 'ECS' }, () => getStatus(deps, { at, against }, how)),
    list: (signal): Promise<readonly OwnedResource[]> =>
      asComputeErrors({ engine: 'ECS' }, () =>
        listOwned(
          { api, ownership, lastSeen: (target) => view.last(target) },
          operatorsCluster(block),
          signal,
        ),
      ),
    async watch(onChange, signal) {
      watches += 1;
      try {
        await watchServices({ api, view, trickle, logger, sweepIntervalMs }, onChange, signal);
      } finally {
        watches -= 1;
      }
    },
    close: async () => api.close(),
  };
}

function operatorsCluster({ cluster_arn: cluster, region, assume_role: role }: EcsOperatorBlock) {
  const scope = {
    region: region ?? regionOf(cluster),
    ...(role === undefined ? {} : { roleArn: role.role_arn }),
  };
  return { scope, cluster };
}

async function touching<T>(view: ServiceView, target: ServiceTarget, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } finally {
    // Whatever was done or tried: what is known of it is stale.
    view.touch(target);
  }
}

/** The client names a refusal by the call; here it is the operation that counts. */
function refusedAs(failure: Attempt['failure'], error: unknown): unknown {
  if (!(error instanceof ComputeError)) return error;
  const isOther =
    error.code !== failure && (error.code === 'ProvisionFailed' || error.code === 'UpdateFailed');
  return isOther ? new ComputeError(failure, error.message, { cause: error }) : error;
}
