import type { Service, Task } from '@aws-sdk/client-ecs';
import { ComputeError } from '../../errors.ts';
import type {
  CreateProvider,
  Observation,
  OwnedResource,
  PlacedTenant,
  Provider,
  ProviderContext,
  StepResult,
} from '../../provider.ts';
import type { TenantComputeSpec } from '../../tenant-compute-spec.ts';
import { regionOf } from './arns.ts';
import { ecsOperatorBlock, ecsPolicyBlock } from './config.ts';
import type { EcsConfig, EcsOperatorBlock, EcsPolicy } from './config.ts';
import { conflict, convergeService } from './converge-service.ts';
import type { Attempt, ServiceParts } from './converge-service.ts';
import { desireService, targetOf } from './desired.ts';
import type { DesiredService, EcsSettings } from './desired.ts';
import { destroyService } from './destroy-service.ts';
import type { EcsApi, ServiceTarget } from './ecs-api.ts';
import { createEcsClient } from './ecs-client.ts';
import { portsOf } from './endpoints.ts';
import type { PortNames } from './endpoints.ts';
import { failureMs, isThere, needsTasks, observe } from './observed.ts';
import type { Clock, EcsObservation } from './observed.ts';
import { listOwned } from './owned-services.ts';
import { isTenants, tagMap } from './ownership.ts';
import { perKey } from './per-key.ts';
import { createServiceView, keyOf } from './service-view.ts';
import type { ServiceView } from './service-view.ts';
import { createTrickle } from './trickle.ts';
import { watchServices } from './watch-services.ts';

/** One ECS service per tenant. What it promises stands in ../../provider.ts; this file only joins the parts. */

/** ECS calls a rollout COMPLETED within a minute or so; 15 s without a failed task will do where it never does. */
const defaultSettleMs = 15_000;

/** As many stopped tasks as one DescribeTasks takes: some endpoints name the oldest first. */
const maxTasks = 100;

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

interface Parts extends ServiceParts {
  readonly view: ServiceView;
  readonly clock: () => Clock;
  readonly seenTasks: Map<string, SeenTasks>;
  /** Whether the watch sweeps: without it, what was seen grows old unnoticed. */
  readonly isWatching: () => boolean;
}

/** Tasks as they were when the service looked like this. */
interface SeenTasks {
  readonly of: string;
  readonly tasks: readonly Task[];
}

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
  const parts: Parts = {
    isWatching: () => watches > 0,
    api,
    settings,
    view,
    seenTasks: new Map(),
    clock: () => ({ nowMs: Date.now(), settleMs: context.settleMs ?? defaultSettleMs }),
    noteCreate: (target) => view.noteCreate(target),
    noteRevision: (desired) => trickle.add(desired),
  };
  const oneByOne = perKey();
  const desire = (spec: TenantComputeSpec<EcsConfig>): DesiredService => desireService(spec, settings);
  const converge = async (
    spec: TenantComputeSpec<EcsConfig>,
    { keep, failure }: Pick<Attempt, 'keep' | 'failure'>,
    signal: AbortSignal,
  ): Promise<StepResult> => {
    const desired = desire(spec);
    const attempt: Attempt = { desired, tenant: spec.tenant, keep, failure };
    return oneByOne(keyOf(desired.target), signal, () =>
      touching(view, desired.target, () => convergeService(parts, attempt, signal)),
    );
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
        const result = await oneByOne(keyOf(target), signal, () =>
          touching(view, target, () => destroyService({ api, settings, mayAppear }, ref, signal)),
        );
        if (result.outcome === 'gone') view.forget(target);
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

interface Asked {
  readonly ref: PlacedTenant;
  readonly spec: TenantComputeSpec<EcsConfig> | undefined;
}

async function getStatus(parts: Parts, { ref, spec }: Asked, signal: AbortSignal): Promise<Observation> {
  const { view, settings } = parts;
  const target = targetOf(ref.placement, 'ProviderUnavailable');
  const desired = desiredAt(spec, target, settings);
  const moment = view.moment();
  const service = await look(parts, { ref, target }, signal);
  if (isThere(service) && !isTenants(settings.owner, ref, tagMap(service.tags)))
    throw conflict(target, service);
  const observation = await observeService(parts, { ref, target, desired, service }, signal);
  const { imageUnavailable, ...rest } = observation;
  const settled = rest.lookAgainAfterMs === undefined && rest.changes.length === 0 && rest.exists;
  view.store({ target, tenantId: ref.tenantId, service, settled }, moment);
  // Once nothing of it is there and nobody wants it, it is no place to look at.
  if (desired === undefined && !rest.exists) view.forget(target);
  // ECS tries on by itself, and so does the controller: nothing is rejected, for the registry may mend.
  if (imageUnavailable !== undefined && desired !== undefined) {
    throw new ComputeError('ImageUnavailable', sentence(imageUnavailable));
  }
  return rest;
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}

/** The desired state, where the place is the one that it goes to. */
function desiredAt(
  spec: TenantComputeSpec<EcsConfig> | undefined,
  target: ServiceTarget,
  settings: EcsSettings,
): DesiredService | undefined {
  if (spec === undefined) return undefined;
  const desired = desireService(spec, settings);
  return keyOf(desired.target) === keyOf(target) ? desired : undefined;
}

async function look(
  { api, view, isWatching }: Parts,
  { ref, target }: { readonly ref: PlacedTenant; readonly target: ServiceTarget },
  signal: AbortSignal,
): Promise<Service | undefined> {
  signal.throwIfAborted();
  const known = ref.thorough === true || !isWatching() ? undefined : view.settled(target);
  if (known !== undefined) return known.service;
  const answer = await api.describeService(target, ref.thorough === true ? 'user' : 'sweep', signal);
  return answer === 'cluster-gone' ? undefined : answer;
}

interface Observing {
  readonly ref: PlacedTenant;
  readonly target: ServiceTarget;
  readonly desired: DesiredService | undefined;
  readonly service: Service | undefined;
}

async function observeService(
  parts: Parts,
  subject: Observing,
  signal: AbortSignal,
): Promise<EcsObservation> {
  const { view, clock } = parts;
  const { target, desired, service } = subject;
  const ports = await portsAt(parts, subject, signal);
  const wrong = needsTasks(desired, { service }, clock()) || view.failedWithin(target, failureMs);
  const tasks = await tasksOf(parts, { ...subject, wrong, wanted: ports.length > 0 }, signal);
  const observation = observe(desired, { service, tasks, ports }, clock());
  if (observation.compute.health === 'unhealthy') view.noteFailure(target);
  return observation;
}

/** Ports that are endpoints: those that the spec names; without a spec, those of the task definition that runs. */
async function portsAt(
  { api }: Parts,
  { target, desired, service }: Observing,
  signal: AbortSignal,
): Promise<readonly PortNames[]> {
  // Only a task with a network interface of its own has an address that ECS tells.
  if (!isThere(service) || service.networkConfiguration?.awsvpcConfiguration === undefined) return [];
  if (desired !== undefined) return portsOf(desired.containers);
  const found = await api.describeTaskDefinition(target.scope, service.taskDefinition ?? '', signal);
  return (found?.taskDefinition.containerDefinitions ?? []).flatMap(({ name, portMappings = [] }) =>
    portMappings.flatMap(({ containerPort, protocol = 'tcp' }) =>
      containerPort === undefined
        ? []
        : [{ name: `${name}-${containerPort}`, port: containerPort, protocol }],
    ),
  );
}

async function tasksOf(
  { api, seenTasks }: Parts,
  { ref, target, service, wrong, wanted }: Observing & { readonly wrong: boolean; readonly wanted: boolean },
  signal: AbortSignal,
): Promise<readonly Task[] | undefined> {
  const key = keyOf(target);
  if (!isThere(service) || service.status === 'DRAINING') {
    seenTasks.delete(key);
    return undefined;
  }
  if (!wrong && !wanted) return undefined;
  const of = JSON.stringify([
    service.runningCount,
    (service.deployments ?? []).map(({ id, runningCount }) => [id, runningCount]),
  ]);
  const seen = seenTasks.get(key);
  // The addresses of tasks that stay the same do so, too.
  if (!wrong && ref.thorough !== true && seen?.of === of) return seen.tasks;
  const tasks = await api.describeTasks(target, maxTasks, signal);
  if (wanted) seenTasks.set(key, { of, tasks });
  return tasks;
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
