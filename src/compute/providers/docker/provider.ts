import type { Logger } from 'pino';
import { atMost } from '../../../async/at-most.ts';
import { abortable } from '../../../async/abortable.ts';
import { asComputeErrors, ComputeError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Ownership } from '../../ownership.ts';
import type { Permit } from '../../permit.ts';
import type {
  CreateProvider,
  DestroyResult,
  Looking,
  Observation,
  OnChange,
  Provider,
  StepResult,
  TenantPlace,
} from '../../provider.ts';
import type { ResolvedImages } from '../../spec/resolved-images.ts';
import type { TenantComputeSpec } from '../../spec/tenant-compute-spec.ts';
import { dockerOperatorBlock, dockerPolicyBlock } from './config.ts';
import type { DockerConfig, DockerOperatorBlock, DockerPolicy } from './config.ts';
import type { Attempt, ConvergeDeps } from './converge/converge-deps.ts';
import { convergeTenant } from './converge/converge-tenant.ts';
import { destroyTenant } from './converge/destroy-tenant.ts';
import { holderOf } from './converge/engines/holding-engine.ts';
import type { ImageGc } from './converge/images/gc/image-gc.ts';
import { createImages } from './converge/images/images.ts';
import { createImageDigests } from './converge/images/image-digests.ts';
import type { ImageDigests } from './converge/images/image-digests.ts';
import { createNetworks } from './converge/networks.ts';
import { createRetreats } from './converge/retreats.ts';
import { createKeptFindings } from './converge/stops/kept-findings.ts';
import { createPendingStops } from './converge/stops/pending-stops.ts';
import { EngineRefusal } from './engine/engine.ts';
import type { Engine } from './engine/engine.ts';
import { connector, reach } from './reach.ts';
import type { DockerContext } from './reach.ts';
import { settingsByNamespace, settingsOf } from './settings.ts';
import { severalEngines } from './several-engines.ts';
import type { EngineProvider } from './several-engines.ts';
import type { Clock } from './state/container-health.ts';
import { desiredTenant } from './state/desired-tenant.ts';
import type { DesiredTenant, DockerSettings } from './state/desired-tenant.ts';
import { createEngineCapacity } from './watch/capacity/engine-capacity.ts';
import type { EngineCapacity } from './watch/capacity/engine-capacity.ts';
import type { EnginePlaces } from './watch/places/engine-places.ts';
import { createEngineView } from './watch/engine-view.ts';
import { watchEngine } from './watch/engine-watch.ts';
import { createInPlace } from './watch/in-place.ts';
import type { InPlace } from './watch/in-place.ts';
import { getStatus } from './watch/get-status.ts';
import { ownedResources } from './watch/owned-resources.ts';
import { validateTenant } from './watch/validate-tenant.ts';

/** Containers on a Docker Engine. What it promises stands in ../../provider.ts; this file only joins the parts. */

/** 3 s: a process that fails for want of a file, port or flag does so within its first second or two. */
const defaultSettleMs = 3_000;

/** Past 8 creates and starts at once, the engine only gets slower for each. */
const startsAtOnce = 8;

export const createDockerProvider: CreateProvider = (options, context) =>
  dockerOn(dockerOperatorBlock.parse(options.block), dockerPolicyBlock.parse(options.policy ?? {}), context);

/** On the block's own engine, and on those that it names. */
export function dockerOn(
  block: DockerOperatorBlock,
  policy: DockerPolicy,
  context: DockerContext,
): Provider<DesiredTenant> {
  const on = (name: string, over: Partial<DockerOperatorBlock>, logger: Logger): EngineProvider => {
    const ofEngine = { ...block, ...over };
    const path = name === '' ? 'compute.docker' : `compute.docker.engines.${name}`;
    const { connect = connector(ofEngine, path, logger) } = context;
    const engineContext = { ...context, logger, connect, ...(name !== '' && { engineName: name }) };
    return dockerProvider(connect(ofEngine.host), ofEngine, policy, engineContext);
  };
  const own = on('', {}, context.logger);
  const named = Object.entries(block.engines).map(([name, engine]): [string, EngineProvider] => {
    const { network_pool = block.network_pool, port_bind_address = block.port_bind_address } = engine;
    const over = { tls: undefined, ...engine, network_pool, port_bind_address };
    return [name, on(name, over, context.logger.child({ engine: name }))];
  });
  return named.length === 0 ? own : severalEngines(new Map([['', own], ...named]));
}

/** A failure says how long the engine had been silent before. */
function looksAt(engine: Engine): <T>(code: ErrorCode, operation: () => Promise<T>) => Promise<T> {
  return (code, operation) => asDockerErrors(code, operation, () => engine.time.silentForMs());
}

export function dockerProvider(
  engine: Engine,
  block: DockerOperatorBlock,
  policy: DockerPolicy,
  context: DockerContext,
): EngineProvider {
  const { logger, sweepIntervalMs, settleMs = defaultSettleMs } = context;
  const settings = settingsOf(block, context);
  const settingsIn = settingsByNamespace(settings, policy, context);
  const { ownership } = settings;
  const clock = (): Clock => ({ nowMs: engine.time.nowMs(), settleMs });
  const listeners = new Set<OnChange>();
  const { guard, identity, places } = reach(engine, block, context);
  const view = createEngineView({ engine, guard, lastingPauseMs: context.pauseMs }, ownership);
  const tell = tellAll(listeners);
  const { access: images, gc } = createImages(guard.engine, settings, logger, tell);
  const digests = createImageDigests(guard.engine, tell);
  const memories = memoriesOf(tell);
  const capacity = createEngineCapacity(guard.engine, settings, logger);
  const networks = createNetworks(guard.engine, settings, capacity.noteTaken);
  const tools = { view, images, digests, networks, capacity, ...memories };
  const throttle = atMost(startsAtOnce);
  const deps: Deps = { engine: guard.engine, ...tools, places, ownership, throttle, settings, clock, logger };
  const stepping =
    (failure: Attempt['failure'], hold: boolean): Provider<DesiredTenant>['update'] =>
    (desired, permit, signal) =>
      asDockerErrors(failure, () => converge(deps, { desired, permit, hold, failure }, signal));

  const desired = desiredBy(settingsIn);
  const look = looksAt(engine);
  return {
    name: 'docker',
    reach: { address: engine.address, formerHosts: block.former_hosts, identity },
    desired,
    resolveImages: (spec, signal) => resolve(digests, desired(spec), signal),
    locate: (placement, signal) => look('ProviderUnavailable', () => places.locate(placement, signal)),
    validate: (desired, signal) => look('InvalidSpec', () => validateTenant(guard.engine, desired, signal)),
    provision: stepping('ProvisionFailed', false),
    update: stepping('UpdateFailed', false),
    hold: stepping('UpdateFailed', true),
    destroy: (at, permit, signal) =>
      asDockerErrors('DestroyFailed', () => destroy(deps, { at, permit }, signal)),
    getStatus: (at, against, how) => look('ProviderUnavailable', () => observe(deps, { at, against }, how)),
    capacity: capacity.known,
    ...collecting(gc),
    list: (signal) => asDockerErrors('ProviderUnavailable', () => ownedResources(deps, signal)),
    watch: (onChange, signal) => {
      const watched = { engine, guard, identity, view, ownership, logger, sweepIntervalMs };
      return whileListening(listeners, onChange, () =>
        Promise.all([watchEngine(watched, onChange, signal), gc?.listen(signal)]),
      );
    },
    async close() {
      await Promise.all([images.close(), digests.close()]);
      memories.pendingStops.close();
      places.close();
      engine.close();
    },
  };
}

/** What is lost with the process. */
function memoriesOf(tell: (tenantId: string) => void) {
  return {
    retreats: createRetreats(),
    inPlace: createInPlace(),
    pendingStops: createPendingStops(tell),
    keptFindings: createKeptFindings(),
  };
}

function tellAll(listeners: ReadonlySet<OnChange>): OnChange {
  return (tenantId) => {
    for (const listener of listeners) listener(tenantId);
  };
}

function collecting(gc: ImageGc | undefined): Pick<Provider<DesiredTenant>, 'collectImages'> {
  if (gc === undefined) return {};
  return {
    collectImages: (permit, signal, _domain, asked) =>
      asDockerErrors('ProviderUnavailable', () => gc.collect(permit, signal, asked)),
  };
}

async function whileListening(
  listeners: Set<OnChange>,
  onChange: OnChange,
  watch: () => Promise<unknown>,
): Promise<void> {
  listeners.add(onChange);
  try {
    await watch();
  } finally {
    listeners.delete(onChange);
  }
}

function desiredBy(
  settingsIn: (namespace: string) => DockerSettings,
): (spec: TenantComputeSpec<DockerConfig>) => DesiredTenant {
  return (spec) => desiredTenant(spec, settingsIn(spec.tenant.namespace));
}

function resolve(
  digests: ImageDigests,
  desired: DesiredTenant,
  signal: AbortSignal,
): Promise<ResolvedImages> {
  return asDockerErrors('ProviderUnavailable', () => abortable(digests.resolve(desired), signal));
}

interface Deps extends ConvergeDeps {
  readonly digests: ImageDigests;
  readonly places: EnginePlaces;
  readonly ownership: Ownership;
  readonly capacity: EngineCapacity;
  readonly inPlace: InPlace;
}

async function converge(deps: Deps, attempt: Attempt, signal: AbortSignal): Promise<StepResult> {
  deps.places.assertHere(attempt.desired.placement);
  return convergeTenant(deps, attempt, signal);
}

/** Each pass looks, and so tells which images are still wanted, whether or not a step follows: none, where none may. */
async function observe(
  deps: Deps,
  subject: { readonly at: TenantPlace; readonly against: DesiredTenant | undefined },
  how: Looking,
): Promise<Observation> {
  const { at, against } = subject;
  if (against !== undefined) deps.images.keepOnly(at.tenantId, wantedImages(deps, against));
  return getStatus(deps, subject, how);
}

/** What it may still have to be made of: the desired state, and what ran before that. */
function wantedImages({ inPlace }: Deps, desired: DesiredTenant): ReadonlySet<string> {
  if (desired.isOnlyObserved) return new Set();
  const containers = [...desired.containers, ...(inPlace.before(desired)?.containers ?? [])];
  return new Set(containers.map(({ spec }) => spec.image));
}

/** Where it is, be that another engine. */
async function destroy(
  deps: Deps,
  { at, permit }: { readonly at: TenantPlace; readonly permit: Permit },
  signal: AbortSignal,
): Promise<DestroyResult> {
  const { images, digests, retreats, keptFindings, inPlace, view, engine, ownership, pendingStops } = deps;
  const { other, containers } = await holderOf(deps, at, signal);
  const destroying = { engine: other ?? engine, ownership, permit, pendingStops, listed: containers };
  if (other !== undefined) return destroyTenant(destroying, at, signal);
  images.forget(at.tenantId);
  digests.forget(at.tenantId);
  retreats.forget(at.tenantId);
  keptFindings.forget(at.tenantId);
  inPlace.forget(at.tenantId);
  try {
    return await destroyTenant(destroying, at, signal);
  } finally {
    view.snapshot.touch(at.tenantId);
  }
}

/** A refusal that nobody has understood is named by the operation. */
function asDockerErrors<T>(
  code: ErrorCode,
  operation: () => Promise<T>,
  silentForMs?: () => number,
): Promise<T> {
  const known = (error: unknown): ComputeError | undefined =>
    error instanceof EngineRefusal ? new ComputeError(code, error.message, { cause: error }) : undefined;
  return asComputeErrors({ engine: 'Docker', known, ...(silentForMs && { silentForMs }) }, operation);
}
