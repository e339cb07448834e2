import { isDeepStrictEqual } from 'node:util';
import { asComputeErrors } from '../../errors.ts';
import { ownershipOf } from '../../ownership.ts';
import { isSamePlace } from '../../place.ts';
import { policyOf, widestPolicy } from '../../policy-by-namespace.ts';
import type { CreateProvider, Provider, ProviderContext } from '../../provider.ts';
import type { TenantComputeSpec } from '../../spec/tenant-compute-spec.ts';
import { regionOf } from './address/arns.ts';
import { isAws } from './address/aws-host.ts';
import { possiblePlaces } from './state/possible-place.ts';
import { ecsOperatorBlock, ecsPolicyBlock } from './config.ts';
import type { EcsConfig, EcsOperatorBlock, EcsPolicy } from './config.ts';
import { createRevisionCleanup } from './converge/revision-cleanup.ts';
import { createServiceSteps } from './converge/service-steps.ts';
import type { EcsApi } from './engine/ecs-api.ts';
import { createEcsClient } from './engine/ecs-client.ts';
import type { ClusterTarget, EcsScope, ServiceTarget } from './address/service-target.ts';
import { ecsDomains } from './state/domain.ts';
import { desireService, targetOf } from './state/desired.ts';
import type { DesiredService } from './state/desired.ts';
import { ownerPrefix } from './state/marks/tags.ts';
import { getStatus } from './watch/get-status.ts';
import { listOwned } from './watch/list-owned.ts';
import { createOwnGroups } from './watch/own-groups.ts';
import { createListenerRoutes } from './watch/listener-routes.ts';
import { createSecretVersions } from './watch/secret-versions.ts';
import { createServiceView } from './watch/service-view.ts';
import { watchServices } from './watch/watch-services.ts';

/** One ECS service per tenant. What it promises stands in ../../provider.ts; this file only joins the parts. */

/** Where a rollout is never called COMPLETED, 15 s of running without a failed task will do. */
const defaultSettleMs = 15_000;

export interface EcsContext extends ProviderContext {
  /** Milliseconds that a rollout which ECS does not call COMPLETED must run in full to count as good. For tests. */
  readonly settleMs?: number;
}

export const createEcsProvider: CreateProvider = (options, context) => {
  const block = ecsOperatorBlock.parse(options.block);
  const policy = ecsPolicyBlock.parse(options.policy ?? {});
  const roles = rolesOf(widestPolicy(context.policy, 'ecs', policy));
  const api = createEcsClient({ block, policy: roles, logger: context.logger });
  return ecsProvider(api, block, policy, context);
};

export function ecsProvider(
  api: EcsApi,
  block: EcsOperatorBlock,
  policy: EcsPolicy,
  context: EcsContext,
): Provider<DesiredService> {
  const { instance, clusterUid, logger, sweepIntervalMs, settleMs = defaultSettleMs } = context;
  const owner = { instance, clusterUid, adoptClusters: block.adopt_clusters };
  const ownership = ownershipOf(owner, 'ecs', ownerPrefix);
  const rules = policyOf(context.policy, 'ecs', policy);
  const widest = widestPolicy(context.policy, 'ecs', policy);
  const assertPossible = possiblePlaces(block, widest);
  const now = () => performance.now();
  const view = createServiceView(now);
  const secrets = createSecretVersions({ api, view, now });
  const routes = createListenerRoutes({ api, view, logger, now });
  const cleanup = createRevisionCleanup({ api, ownership, logger });
  const groups = { ...createOwnGroups(api, usesListeners(block, widest)), ...routes };
  const steps = createServiceSteps({ api, ownership, view, cleanup, secrets, groups });
  const looking = { api, ownership, view, clock: clockOf(api, block, settleMs), secrets, routes };
  const lastSeen = (target: ServiceTarget) => view.last(target);
  const listing = { api, ownership, hasGroups: groups.isUsed, lastSeen };

  return {
    name: 'ecs',
    desired: (spec: TenantComputeSpec<EcsConfig>) =>
      desireService(spec, { block, ownership, ...rules(spec.tenant.namespace) }),
    domainOf: ecsDomains(block, widest),
    // Whatever only ECS can tell is asked for with the write that needs it: a fleet at rest costs no call.
    validate: async () => undefined,
    provision: (desired, permit, signal) =>
      ecsErrors(() => steps.converge({ desired, permit, hold: false, failure: 'ProvisionFailed' }, signal)),
    update: (desired, permit, signal) =>
      ecsErrors(() => steps.converge({ desired, permit, hold: false, failure: 'UpdateFailed' }, signal)),
    hold: (desired, permit, signal) =>
      ecsErrors(() => steps.converge({ desired, permit, hold: true, failure: 'UpdateFailed' }, signal)),
    destroy: (at, permit, signal) =>
      ecsErrors(async () => {
        assertPossible(at.placement, 'DestroyFailed');
        return steps.destroy(at, permit, signal);
      }),
    getStatus: (at, against, how) =>
      ecsErrors(
        async () => {
          // What is desired has passed the policy.
          if (!isSamePlace(at.placement, against?.placement))
            assertPossible(at.placement, 'ProviderUnavailable');
          return getStatus(looking, { at, against }, how);
        },
        () => view.contact.silentForMs(targetOf(at.placement, 'ProviderUnavailable')),
      ),
    list: (signal) => ecsErrors(() => listOwned(listing, operatorsCluster(block), signal)),
    async watch(onChange, signal) {
      const watching = watchServices({ ...looking, logger, sweepIntervalMs }, onChange, signal);
      await Promise.all([watching, cleanup.run(signal)]);
    },
    close: async () => api.close(),
  };
}

/** Throws where one role is to be assumed in two ways: whose would it be at a place that only the status names? */
function rolesOf(widest: EcsPolicy): Pick<EcsPolicy, 'allowed_roles'> {
  const { allowed_roles } = widest;
  for (const role of allowed_roles) {
    const other = allowed_roles.find(({ role_arn }) => role_arn === role.role_arn);
    if (isDeepStrictEqual(other, role)) continue;
    throw new Error(
      `policy.ecs.allowed_roles: ${role.role_arn} is listed with different external ids or session names; give it one of each`,
    );
  }
  return { allowed_roles };
}

function clockOf(api: EcsApi, block: EcsOperatorBlock, settleMs: number) {
  // What speaks the language of ECS from elsewhere may never call a deployment COMPLETED, or do so at once.
  const callsCompleted = isAws(block.endpoint);
  return (scope: EcsScope) => ({ nowMs: api.now(scope), settleMs, callsCompleted });
}

/** Whether anybody may have rules of listeners made for them. */
function usesListeners(block: EcsOperatorBlock, { allowed_listeners: listed }: EcsPolicy): boolean {
  return listed.length > 0 || block.load_balancers?.some((one) => one.listener_rule !== undefined) === true;
}

function ecsErrors<T>(operation: () => Promise<T>, silentForMs?: () => number): Promise<T> {
  return asComputeErrors({ engine: 'ECS', ...(silentForMs && { silentForMs }) }, operation);
}

function operatorsCluster({
  cluster_arn: cluster,
  region,
  assume_role: role,
}: EcsOperatorBlock): ClusterTarget {
  const scope = {
    region: region ?? regionOf(cluster),
    ...(role === undefined ? {} : { roleArn: role.role_arn }),
  };
  return { scope, cluster };
}
