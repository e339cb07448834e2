import { atMost } from '../../../async/at-most.ts';
import { durationMs } from '../../../api/duration.ts';
import { asComputeErrors, ComputeError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { ownershipOf } from '../../ownership.ts';
import type { CreateProvider, OnChange, Provider, ProviderContext } from '../../provider.ts';
import type { TenantComputeSpec } from '../../spec/tenant-compute-spec.ts';
import { dockerOperatorBlock, dockerPolicyBlock } from './config.ts';
import type { DockerConfig, DockerOperatorBlock, DockerPolicy } from './config.ts';
import type { Attempt, ConvergeDeps } from './converge/converge-deps.ts';
import { convergeTenant } from './converge/converge-tenant.ts';
import { destroyTenant } from './converge/destroy-tenant.ts';
import { createImagePulls } from './converge/images/image-pulls.ts';
import { createNetworks } from './converge/networks.ts';
import { createRetreats } from './converge/retreats.ts';
import { createEngineClient } from './engine/engine-client.ts';
import { guardEngine } from './engine/engine-guard.ts';
import { EngineRefusal } from './engine/engine.ts';
import type { Engine } from './engine/engine.ts';
import type { Clock } from './state/container-health.ts';
import { desiredTenant } from './state/desired-tenant.ts';
import type { DesiredTenant, DockerSettings } from './state/desired-tenant.ts';
import { createEngineView } from './watch/engine-view.ts';
import { watchEngine } from './watch/engine-watch.ts';
import { createInPlace } from './watch/in-place.ts';
import { getStatus } from './watch/get-status.ts';
import { ownedResources } from './watch/owned-resources.ts';
import { validateTenant } from './watch/validate-tenant.ts';

/** Containers on a Docker Engine. What it promises stands in ../../provider.ts; this file only joins the parts. */

/** 3 s: a process that fails for want of a file, port or flag does so within its first second or two. */
const defaultSettleMs = 3_000;

/** Past 8 creates and starts at once, the engine only gets slower for each. */
const startsAtOnce = 8;

export interface DockerContext extends ProviderContext {
  /** Milliseconds that a container without health check must run to count as healthy. For tests. */
  readonly settleMs?: number;
  /** Milliseconds that a pause must last to count as one. For tests. */
  readonly pauseMs?: number;
}

export const createDockerProvider: CreateProvider = (options, context) => {
  const block = dockerOperatorBlock.parse(options.block);
  const pullSilenceMs = durationMs(block.pull_silence);
  const engine = createEngineClient({ host: block.host, logger: context.logger, pullSilenceMs });
  return dockerProvider(engine, block, dockerPolicyBlock.parse(options.policy ?? {}), context);
};

export function dockerProvider(
  engine: Engine,
  block: DockerOperatorBlock,
  policy: DockerPolicy,
  context: DockerContext,
): Provider<DesiredTenant> {
  const { logger, sweepIntervalMs, settleMs = defaultSettleMs } = context;
  const settings = settingsOf(block, policy, context);
  const { ownership } = settings;
  const clock = (): Clock => ({ nowMs: engine.time.nowMs(), settleMs });
  const listeners = new Set<OnChange>();
  const guard = guardEngine(engine);
  const view = createEngineView({ engine, guard, lastingPauseMs: context.pauseMs }, ownership);
  const pulls = createImagePulls(guard.engine, logger, (tenantId) => {
    for (const listener of listeners) listener(tenantId);
  });
  const tools = { view, pulls, networks: createNetworks(guard.engine, settings), inPlace: createInPlace() };
  const throttle = atMost(startsAtOnce);
  const retreats = createRetreats();
  const deps: ConvergeDeps = { engine: guard.engine, ...tools, retreats, throttle, settings, clock, logger };
  const stepping =
    (failure: Attempt['failure'], hold: boolean): Provider<DesiredTenant>['update'] =>
    (desired, permit, signal) =>
      asDockerErrors(failure, () => convergeTenant(deps, { desired, permit, hold, failure }, signal));

  return {
    name: 'docker',
    desired: (spec: TenantComputeSpec<DockerConfig>) => desiredTenant(spec, settings),
    validate: (desired, signal) =>
      asDockerErrors('InvalidSpec', () => validateTenant(guard.engine, desired, signal)),
    provision: stepping('ProvisionFailed', false),
    update: stepping('UpdateFailed', false),
    hold: stepping('UpdateFailed', true),
    destroy: (at, permit, signal) =>
      asDockerErrors('DestroyFailed', () => {
        pulls.forget(at.tenantId);
        deps.retreats.forget(at.tenantId);
        deps.inPlace.forget(at.tenantId);
        const gone = destroyTenant({ engine: guard.engine, ownership, permit }, at, signal);
        return gone.finally(() => view.snapshot.touch(at.tenantId));
      }),
    getStatus: (at, against, how) =>
      asDockerErrors('ProviderUnavailable', () => getStatus({ ...deps, ownership }, { at, against }, how)),
    list: (signal) =>
      asDockerErrors('ProviderUnavailable', () => ownedResources(guard.engine, ownership, signal)),
    async watch(onChange, signal) {
      listeners.add(onChange);
      try {
        await watchEngine({ engine, guard, view, ownership, logger, sweepIntervalMs }, onChange, signal);
      } finally {
        listeners.delete(onChange);
      }
    },
    async close() {
      await pulls.close();
      engine.close();
    },
  };
}

function settingsOf(
  block: DockerOperatorBlock,
  policy: DockerPolicy,
  { instance, clusterUid, policy: commonPolicy }: DockerContext,
): DockerSettings {
  const owner = { instance, clusterUid, adoptClusters: block.adopt_clusters };
  return { block, policy, commonPolicy, ownership: ownershipOf(owner, 'docker', block.label_prefix) };
}

/** A refusal that nobody has understood is named by the operation. */
function asDockerErrors<T>(code: ErrorCode, operation: () => Promise<T>): Promise<T> {
  const known = (error: unknown): ComputeError | undefined =>
    error instanceof EngineRefusal ? new ComputeError(code, error.message, { cause: error }) : undefined;
  return asComputeErrors({ engine: 'Docker', known }, operation);
}
