import { ComputeError } from '../../errors.ts';
import type { CreateProvider, OwnedResource, Provider, ProviderContext, StepResult } from '../../provider.ts';
import type { TenantComputeSpec } from '../../spec/tenant-compute-spec.ts';
import { regionOf } from './state/arns.ts';
import { ecsOperatorBlock, ecsPolicyBlock } from './config.ts';
import type { EcsConfig, EcsOperatorBlock, EcsPolicy } from './config.ts';
import { convergeService } from './converge/converge-service.ts';
import type { Attempt, ServiceParts } from './converge/converge-service.ts';
import { desireService, targetOf } from './state/desired.ts';
import type { DesiredService, EcsSettings } from './state/desired.ts';
import { destroyService } from './converge/destroy-service.ts';
import type { EcsApi, ServiceTarget } from './engine/ecs-api.ts';
import { createEcsClient } from './engine/ecs-client.ts';
import { getStatus } from './watch/get-status.ts';
import type { StatusParts } from './watch/get-status.ts';
import { listOwned } from './watch/owned-services.ts';
import { atMost } from '../../../async/at-most.ts';
import { createServiceView, keyOf } from './watch/service-view.ts';
import type { ServiceView } from './watch/service-view.ts';
import { createTrickle } from './converge/revision-cleanup.ts';
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
): Provider<EcsConfig> {
  const { instance, clusterUid, logger, sweepIntervalMs } = context;
  const owner = { instance, clusterUid, adoptClusters: block.adopt_clusters };
  const settings: EcsSettings = { block, policy, commonPolicy: context.policy, owner };
  const view = createServiceView(() => performance.now());
  const trickle = createTrickle({ api, owner, logger });
  let watches = 0;
  const parts: ServiceParts & StatusParts = {
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
  const desire = (spec: TenantComputeSpec<EcsConfig>): DesiredService => desireService(spec, settings);
  const converge = async (
    spec: TenantComputeSpec<EcsConfig>,
    { keep, failure }: Pick<Attempt, 'keep' | 'failure'>,
    signal: AbortSignal,
  ): Promise<StepResult> => {
    const desired = desire(spec);
    const attempt: Attempt = { desired, tenant: spec.tenant, keep, failure };
    try {
      return await oneByOne(
        () => touching(view, desired.target, () => convergeService(parts, attempt, signal)),
        { key: keyOf(desired.target), signal },
      );
    } catch (error) {
      throw refusedAs(failure, error);
    }
  };

  return {
    name: 'ecs',
    durable: true,
    needsSecretValues: false,
    desire(spec) {
      const { placement, specHash } = desire(spec);
      return { placement, specHash };
    },
    // Whatever only ECS can tell is asked for with the write that needs it: a fleet at rest costs no call.
    validate: async () => undefined,
    provision: (spec, signal) =>
      mapped(() => converge(spec, { keep: false, failure: 'ProvisionFailed' }, signal)),
    update: (spec, signal, { keep = false } = {}) =>
      mapped(() => converge(spec, { keep, failure: 'UpdateFailed' }, signal)),
    destroy: (ref, signal) =>
      mapped(async () => {
        const target = targetOf(ref.placement, 'DestroyFailed');
        const mayAppear = (place: ServiceTarget): boolean => view.mayAppear(place);
        const result = await oneByOne(
          () => touching(view, target, () => destroyService({ api, settings, mayAppear }, ref, signal)),
          { key: keyOf(target), signal },
        );
        if (result.outcome === 'gone') {
          view.forget(target);
          parts.seen.delete(keyOf(target));
        }
        return result;
      }),
    getStatus: (ref, spec, signal) => mapped(() => getStatus(parts, { ref, spec }, signal)),
    list: (signal): Promise<readonly OwnedResource[]> =>
      mapped(() =>
        listOwned({ api, owner, lastSeen: (target) => view.last(target) }, operatorsCluster(block), signal),
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

/** Whatever goes wrong comes out as a ComputeError. */
async function mapped<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof ComputeError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new ComputeError('ProviderUnavailable', `ECS: ${message}`, { cause: error });
  }
}
