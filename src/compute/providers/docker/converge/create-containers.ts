import { asComputeError, ComputeError, withMessage } from '../../../errors.ts';
import { consentTo } from '../../../permit.ts';
import type { StepResult } from '../../../provider.ts';
import { isNext } from '../state/container-name.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';
import { createBody } from './create-body.ts';
import { EngineRefusal } from '../engine/engine.ts';
import { isEdge } from '../state/edge/edge-name.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { bearsOwnName, madeContainer } from '../state/own-containers.ts';
import { ownershipConflict } from '../state/ownership-conflict.ts';
import { withFormerNames } from '../state/volumes/parse-volumes.ts';
import { asksByProbe, isProbed, probeArchitectures } from '../state/probe/probe.ts';
import type { Fault, NewContainer } from '../state/plan/step.ts';
import type { DesiredNetwork } from '../state/network/choose-network.ts';
import { imagesBefore, imagesBeforeMark, imagesBeforeText } from '../state/image/images-before.ts';
import { isNamedAtOnce } from '../state/network/tenant-network.ts';
import { isOwnFault } from './own-fault.ts';
import { assertHostPaths } from '../watch/host-paths.ts';
import { imageKey } from './images/present-image.ts';
import type { PresentImage } from './images/present-image.ts';
import { assertForeign } from './join-network.ts';
import { fillVolumes } from './files/fill-volumes.ts';
import { networksInUse } from './networks/known-networks.ts';
import { credentialsFor } from './images/registry-credentials.ts';
import { inOrderOfJoining, joinedNetwork } from './networks/joined-network.ts';
import { ensureImageVolumes, ensureVolumes, lostVolumes, volumesOfBefore } from './tenant-volumes.ts';
import type { ImagedContainer } from './tenant-volumes.ts';

/** A hint comes when a pull ends; this is for when nobody hears it. */
const pullLookMs = 30_000;

interface Creation {
  readonly attempt: Attempt;
  readonly containers: readonly NewContainer[];
  /** Takes in, by name, what can't be made while others can. */
  readonly failed: Map<string, Fault>;
  /** Takes in, by id, what was made. */
  readonly made: Map<string, ObservedContainer>;
  /** What was seen of the tenant on the engine. */
  readonly seen: readonly ObservedContainer[];
  /** Ids of the images that the tenant's containers were made of. */
  readonly ownImages: ReadonlySet<string>;
  /** Drops what was made of the new ones and keeps running what ran before. */
  readonly keepOld: () => Promise<void>;
}

/** All that the containers need, then the containers. Undefined: look again; otherwise the call is over. */
export async function createContainers(
  deps: ConvergeDeps,
  creation: Creation,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { attempt, containers, failed, made, keepOld } = creation;
  await assertNotUndone(deps, creation);
  const images = await ensureImages(deps, creation, signal);
  if ('message' in images) return { outcome: 'in_progress', ...images, lookAgainAfterMs: pullLookMs };
  const former = await volumesOfBefore(deps, attempt.desired, signal);
  const desired = {
    ...attempt.desired,
    containers: attempt.desired.containers.map((container) => withFormerNames(container, former)),
  };
  const imaged = containers.flatMap((container) => {
    const image = images.found.get(imageKey(container.desired.spec));
    return image === undefined
      ? []
      : [{ ...container, desired: withFormerNames(container.desired, former), image }];
  });
  const lost = await lostVolumes(deps, { desired, containers: imaged }, signal);
  if (lost.length > 0) {
    const message = `Making ${lost.join(', ')} anew`;
    return { outcome: 'in_progress', message, lost, lookAgainAfterMs: 0 };
  }
  await ensureVolumes(deps, desired, signal);
  const networks = await ensureNetworks(deps, creation, signal);
  for (const container of inOrderOfJoining(imaged)) {
    try {
      const isNamed = isNamedAtOnce(container, containers);
      const network =
        (await joinedNetwork(deps, { attempt, container }, signal)) ??
        networks.get(container.desired.network.name);
      await createOne(deps, { attempt, container, made, isNamed, network }, signal);
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      if (error.kind === 'missing-image' || error.kind === 'missing-network') return undefined;
      if (isNext(container.name)) return noSuccessor(error, keepOld);
      failed.set(container.name, { why: error.message, own: isOwnFault(error) });
    }
  }
  return undefined;
}

/** The networks that are there for the containers, by the names of those that are desired. */
async function ensureNetworks(
  { networks, view }: ConvergeDeps,
  { attempt: { desired, permit }, containers, seen }: Creation,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DesiredNetwork>> {
  const consent = consentTo(permit, 'live', 'removing a network that nobody uses');
  const wanted = new Map(containers.map(({ desired: { network } }) => [network.name, network]));
  const ensured = new Map<string, DesiredNetwork>();
  for (const [name, network] of wanted) {
    const counts = {
      containers: desired.containers.filter((one) => one.network.name === name).length,
      joining: containers.filter((one) => one.desired.network.name === name).length,
      isNew: seen.length === 0,
      inUse: networksInUse(seen),
    };
    const made = await networks.ensure(network, { ...desired, ...counts, consent }, signal);
    // What runs may have joined it.
    if (made.name !== name) view.snapshot.touch(desired.tenantId);
    ensured.set(name, made);
  }
  return ensured;
}

/**
 * Who removes what has not served yet does so again: another operator, that wants something else there. What ran before
 * and is only kept was noted when it was made itself, and has served since.
 */
async function assertNotUndone(
  { retreats }: ConvergeDeps,
  { attempt: { desired, hold, failure }, containers, keepOld }: Creation,
): Promise<void> {
  const undone = hold ? [] : containers.filter(({ name }) => retreats.wasMade(desired, name));
  if (undone.length === 0) return;
  await keepOld();
  const names = undone.map((container) => container.desired.spec.name).join(', ');
  const message = `The new container ${names} was removed by somebody else (is there a second operator of this instance, with other defaults?), and is made again ever more slowly`;
  throw new ComputeError(failure, message, { retryAfterMs: retreats.note(desired, message, 'undone') });
}

/** Where the engine will never take these values, they are rejected; what ran before is untouched. */
async function noSuccessor(error: EngineRefusal, keepOld: Creation['keepOld']): Promise<StepResult> {
  if (!isOwnFault(error)) throw error;
  await keepOld();
  const message = `The new containers can't be created: ${error.message}`;
  return { outcome: 'rolled_back', reason: 'RolledBack', message };
}

/** The images, or what they wait for. What ran before is kept running meanwhile, and where one can't be had. */
async function ensureImages(
  { inPlace, images: access }: ConvergeDeps,
  { attempt, containers, ownImages, keepOld }: Creation,
  signal: AbortSignal,
): Promise<{ readonly found: ReadonlyMap<string, PresentImage> } | { readonly message: string }> {
  const { tenantId, namespace, imagePullCredentials, registries, policy, notes = [] } = attempt.desired;
  const found = new Map<string, PresentImage>();
  const missing: Missing = { pulling: [], waiting: [], asking: [] };
  const images = new Map(containers.map(({ desired: { spec } }) => [imageKey(spec), spec]));
  let failure: ComputeError | undefined;
  for (const [key, { image, platform }] of images) {
    const credentials = credentialsFor(image, imagePullCredentials, registries);
    try {
      const isOperators = containers.every(({ desired: { spec } }) => imageKey(spec) !== key || isEdge(spec));
      const request = { tenantId, namespace, image, platform, credentials, ownImages, policy, isOperators };
      const answer = await access.ensure(request, signal);
      if (typeof answer === 'string') missing[answer].push(image);
      else found.set(key, answer);
    } catch (error) {
      failure ??= asComputeError(error);
    }
  }
  const isKnown =
    containers.some(({ name }) => isNext(name)) || inPlace.before(attempt.desired) !== undefined;
  if (found.size < images.size && isKnown) await keepOld();
  if (failure?.code === 'ImageUnavailable')
    throw withMessage(failure, [failure.message, ...notes].join('; '));
  if (failure !== undefined) throw failure;
  return found.size === images.size ? { found } : { message: missingMessage(missing) };
}

type Missing = Readonly<Record<'pulling' | 'waiting' | 'asking', string[]>>;

function missingMessage({ pulling, waiting, asking }: Missing): string {
  const parts = [
    ...(pulling.length > 0 ? [`pulling ${pulling.join(', ')}`] : []),
    ...(waiting.length > 0 ? [`waiting for a turn to pull ${waiting.join(', ')}`] : []),
    ...(asking.length > 0 ? [`asking the registry whether this tenant may use ${asking.join(', ')}`] : []),
  ];
  const text = parts.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Throws EngineRefusal: the values are refused, though not by the engine. */
function assertProbe({ desired: { spec }, image: { architecture } }: ImagedContainer): void {
  if (!asksByProbe(spec.healthCheck) || isProbed(architecture)) return;
  const message = `container ${spec.name}: healthCheck: its probe is there for ${probeArchitectures.join(' and ')}, and the image is for ${architecture ?? 'nobody says what'}. Name a program of the image in command or shell`;
  throw new EngineRefusal('invalid', 400, message);
}

interface CreatingOne extends Pick<Creation, 'attempt' | 'made'> {
  readonly container: ImagedContainer;
  readonly isNamed: boolean;
  /** The one that is there for it. */
  readonly network: DesiredNetwork | undefined;
}

async function createOne(
  deps: ConvergeDeps,
  { attempt, container, made, isNamed, network = container.desired.network }: CreatingOne,
  signal: AbortSignal,
): Promise<void> {
  const { engine, settings, throttle, retreats } = deps;
  const { id: imageId, healthCheck: imageHealthCheck, architecture } = container.image;
  assertProbe(container);
  for (const one of container.desired.options?.networks ?? []) await assertForeign(deps, one, signal);
  const imageVolumes = await ensureImageVolumes(deps, { desired: attempt.desired, container }, signal);
  const before = imagesBefore(imageId, container.predecessor);
  const { key } = settings.ownership;
  const told = before.length > 0 ? { [key(imagesBeforeMark)]: imagesBeforeText(before) } : {};
  const body = createBody(
    { ...container.desired, labels: { ...container.desired.labels, ...told }, network },
    { imageVolumes, imageHealthCheck, architecture, isNamed, imageId },
  );
  await fillVolumes(deps, { attempt, container }, signal);
  // Whoever can write to the host may have put a link in its place since.
  await assertHostPaths(engine, container.desired.volumes);
  const { ownership } = settings;
  const answer = await throttle(() => engine.createContainer(container.name, body, signal));
  if (answer !== 'name-taken') {
    const one = { ...answer, name: container.name };
    if (!attempt.hold) retreats.noteMade(attempt.desired, one);
    made.set(one.id, madeContainer({ ...one, body }, ownership));
    return;
  }
  const holder = await engine.inspectContainer(container.name, signal);
  // A call of ours whose answer got lost, or another pass over the same tenant: the next look will show it.
  if (holder === undefined) return;
  const labels = holder.Config.Labels;
  if (ownership.belongsTo(attempt.desired, labels) && bearsOwnName(container.name, labels, ownership)) return;
  throw ownershipConflict(attempt.desired, { name: container.name, labels }, ownership);
}
