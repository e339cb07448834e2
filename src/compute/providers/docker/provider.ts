import { ComputeError } from '../../errors.ts';
import type {
  CreateProvider,
  Observation,
  OwnedResource,
  PlacedTenant,
  Provider,
  ProviderContext,
} from '../../provider.ts';
import type { TenantComputeSpec } from '../../spec/tenant-compute-spec.ts';
import type { Clock } from './state/health.ts';
import { dockerOperatorBlock, dockerPolicyBlock } from './config.ts';
import type { DockerConfig, DockerOperatorBlock, DockerPolicy } from './config.ts';
import type { ConvergeParts } from './converge/converge-deps.ts';
import { convergeTenant } from './converge/converge-tenant.ts';
import { desireTenant } from './state/desired.ts';
import type { DockerSettings } from './state/desired.ts';
import { destroyTenant } from './converge/destroy-tenant.ts';
import { createEngineClient } from './engine/engine-client.ts';
import { guardEngine } from './engine/engine-guard.ts';
import { createEngineView } from './watch/engine-view.ts';
import { watchEngine } from './watch/engine-watch.ts';
import { EngineRefusal } from './engine/engine.ts';
import type { Engine } from './engine/engine.ts';
import { createImagePulls } from './converge/image-pulls.ts';
import { createNetworks } from './converge/networks.ts';
import { observe } from './state/observed.ts';
import { listOwned } from './watch/owned-resources.ts';
import { assertTenants } from './converge/ownership-conflict.ts';
import { atMost } from '../../../async/at-most.ts';

/** Containers on a Docker Engine. What it promises stands in ../../provider.ts; this file only joins the parts. */

/** 3 s: a process that fails for want of a file, port or flag does so within its first second or two. */
const defaultSettleMs = 3_000;

/** Past 8 creates and starts at once, the engine only gets slower for each. */
const enginePlaces = 8;

export interface DockerContext extends ProviderContext {
  /** Milliseconds that a container without health check must run to count as healthy. For tests. */
  readonly settleMs?: number;
}

export const createDockerProvider: CreateProvider = (options, context) => {
  const block = dockerOperatorBlock.parse(options.block);
  const engine = createEngineClient({ host: block.host, logger: context.logger });
  return dockerProvider(engine, block, dockerPolicyBlock.parse(options.policy ?? {}), context);
};

export function dockerProvider(
  engine: Engine,
  block: DockerOperatorBlock,
  policy: DockerPolicy,
  context: DockerContext,
): Provider<DockerConfig> {
  const { instance, clusterUid, logger, sweepIntervalMs } = context;
  const owner = { instance, clusterUid, adoptClusters: block.adopt_clusters };
  const settings: DockerSettings = { block, policy, commonPolicy: context.policy, owner };
  const prefix = block.label_prefix;
  const guard = guardEngine(engine);
  const view = createEngineView({ engine, guard }, prefix, owner);
  const listeners = new Set<(tenantId: string | undefined) => void>();
  const pulls = createImagePulls(guard.engine, logger, (tenantId) => {
    for (const listener of listeners) listener(tenantId);
  });
  const clock = (): Clock => ({ nowMs: Date.now(), settleMs: context.settleMs ?? defaultSettleMs });
  const networks = createNetworks(guard.engine, settings);
  const throttle = atMost(enginePlaces);
  const parts: ConvergeParts = { engine: guard.engine, view, pulls, networks, settings, clock, throttle };
  const desire = (spec: TenantComputeSpec<DockerConfig>) => desireTenant(spec, settings);

  return {
    name: 'docker',
    durable: true,
    needsSecretValues: true,
    desire(spec) {
      const { placement, specHash } = desire(spec);
      return { placement, specHash };
    },
    validate: (spec, signal) => mapped('InvalidSpec', () => validate(guard.engine, spec, signal)),
    provision: (spec, signal) =>
      mapped('ProvisionFailed', async () =>
        convergeTenant(
          parts,
          { spec, desired: desire(spec), keep: false, failure: 'ProvisionFailed' },
          signal,
        ),
      ),
    update: (spec, signal, { keep = false } = {}) =>
      mapped('UpdateFailed', async () =>
        convergeTenant(parts, { spec, desired: desire(spec), keep, failure: 'UpdateFailed' }, signal),
      ),
    destroy: (ref, signal) =>
      mapped('DestroyFailed', async () => {
        pulls.forget(ref.tenantId);
        try {
          return await destroyTenant(guard.engine, owner, ref, signal);
        } finally {
          view.snapshot.touch(ref.tenantId);
        }
      }),
    getStatus: (ref, spec, signal) =>
      mapped('ProviderUnavailable', () => getStatus(parts, { ref, spec }, signal)),
    list: (signal): Promise<readonly OwnedResource[]> =>
      mapped('ProviderUnavailable', () => listOwned(guard.engine, prefix, owner, signal)),
    async watch(onChange, signal) {
      listeners.add(onChange);
      try {
        await watchEngine({ engine, guard, view, prefix, owner, logger, sweepIntervalMs }, onChange, signal);
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

async function getStatus(
  { engine, view, settings, clock }: ConvergeParts,
  { ref, spec }: { readonly ref: PlacedTenant; readonly spec: TenantComputeSpec<DockerConfig> | undefined },
  signal: AbortSignal,
): Promise<Observation> {
  const { block, owner } = settings;
  const prefix = placedPrefix(ref, block.label_prefix);
  // A place of an earlier configuration is not what the watch looks at.
  const elsewhere = prefix !== block.label_prefix;
  const seen = elsewhere ? createEngineView({ engine, guard: unguarded(engine) }, prefix, owner) : view;
  const containers =
    elsewhere || ref.thorough === true
      ? await seen.fresh(ref.tenantId, signal)
      : await seen.tenant(ref.tenantId, signal);
  const there = { ...settings, block: { ...block, label_prefix: prefix } };
  assertTenants(containers, { tenant: ref }, there);
  const desired = spec === undefined || elsewhere ? undefined : desireTenant(spec, settings);
  return observe(desired, { containers, prefix }, clock());
}

function placedPrefix({ placement }: PlacedTenant, fallback: string): string {
  const { labelPrefix } = placement;
  return typeof labelPrefix === 'string' ? labelPrefix : fallback;
}

/** The rest of the engine's calls are guarded already. */
function unguarded(engine: Engine): Parameters<typeof createEngineView>[0]['guard'] {
  return guardEngine(engine);
}

async function validate(
  engine: Engine,
  { config: { network_mode } }: TenantComputeSpec<DockerConfig>,
  signal: AbortSignal,
): Promise<void> {
  const [, joined] = network_mode?.split('container:') ?? [];
  if (joined === undefined || (await engine.inspectContainer(joined, signal)) !== undefined) return;
  throw new ComputeError(
    'InvalidSpec',
    `spec.computeConfig.docker.network_mode: there is no container ${joined} on the engine to join`,
  );
}

/** Whatever goes wrong comes out as a ComputeError; a refusal that nobody has understood is named by the operation. */
async function mapped<T>(
  code: 'InvalidSpec' | 'ProvisionFailed' | 'UpdateFailed' | 'DestroyFailed' | 'ProviderUnavailable',
  operation: () => Promise<T>,
): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof ComputeError) throw error;
    if (error instanceof EngineRefusal) throw new ComputeError(code, error.message, { cause: error });
    const message = error instanceof Error ? error.message : String(error);
    throw new ComputeError('ProviderUnavailable', `Docker: ${message}`, { cause: error });
  }
}
