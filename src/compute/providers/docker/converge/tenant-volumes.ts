import type Dockerode from 'dockerode';
import { ComputeError } from '../../../errors.ts';
import type { Marks, Ownership } from '../../../ownership.ts';
import type { Engine } from '../engine/engine.ts';
import type { DesiredTenant } from '../state/desired-tenant.ts';
import { imageVolumes, isAnonymous, volumeText } from '../state/volumes/image-volumes.ts';
import type { ImageVolume } from '../state/volumes/image-volumes.ts';
import type { NewContainer } from '../state/plan/step.ts';
import type { ConvergeDeps } from './converge-deps.ts';
import type { PresentImage } from './images/present-image.ts';
import type { OwnedTenant } from './tenant-networks.ts';

/** A container to be made, and what it is made of. */
export interface ImagedContainer extends NewContainer {
  readonly image: PresentImage;
}

type VolumeDeps = Pick<ConvergeDeps, 'engine' | 'settings'>;

/** Of the names that an earlier version gave the tenant's volumes, those that stay in use: where none has the present name. */
export async function volumesOfBefore(
  deps: VolumeDeps,
  desired: DesiredTenant,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  for (const [source, former] of formerNames(desired)) {
    const isRenamed = await isItsVolume(deps, { desired, name: source }, signal);
    if (!isRenamed && (await isItsVolume(deps, { desired, name: former }, signal))) kept.add(former);
  }
  return kept;
}

function formerNames({ containers }: DesiredTenant): ReadonlyMap<string, string> {
  const mounts = containers.flatMap(({ volumes }) => volumes);
  return new Map(
    mounts.flatMap(({ source, formerSource }) =>
      formerSource === undefined ? [] : [[source, formerSource]],
    ),
  );
}

async function isItsVolume(
  { engine, settings: { ownership } }: VolumeDeps,
  { desired, name }: Pick<WantedVolume, 'desired' | 'name'>,
  signal: AbortSignal,
): Promise<boolean> {
  const volume = await engine.inspectVolume(name, signal);
  return volume !== undefined && isIts(desired, volume.Labels, ownership);
}

function isIts(desired: DesiredTenant, labels: Marks, ownership: Ownership): boolean {
  return ownership.belongsTo(desired, labels) && ownership.tenantOf(labels)?.tenantId === desired.tenantId;
}

/** Of the volumes that are about to be made, those that the tenant had, and that are gone, as statuses name them. */
export async function lostVolumes(
  deps: VolumeDeps,
  {
    desired,
    containers,
  }: { readonly desired: DesiredTenant; readonly containers: readonly ImagedContainer[] },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const had = new Set(desired.had);
  if (had.size === 0) return [];
  const needed = new Set(namedVolumes(desired));
  for (const container of containers) {
    for (const { source } of imageVolumesOf(container)) needed.add(source);
  }
  const lost: string[] = [];
  for (const name of needed) {
    if (!had.has(volumeText(name))) continue;
    if ((await deps.engine.inspectVolume(name, signal)) === undefined) lost.push(volumeText(name));
  }
  // One that is in use is called so in `desired` itself.
  for (const name of formerNames(desired).values()) {
    if (!had.has(volumeText(name))) continue;
    if (!(await isItsVolume(deps, { desired, name }, signal))) lost.push(volumeText(name));
  }
  return lost;
}

/** Makes the tenant's named volumes. Rejects with ProviderConflict where one of that name is someone else's. */
export async function ensureVolumes(
  deps: VolumeDeps,
  desired: DesiredTenant,
  signal: AbortSignal,
): Promise<void> {
  for (const name of namedVolumes(desired)) await ensureVolume(deps, { desired, name, marks: {} }, signal);
}

/** Makes the volumes that the container's image asks for. Rejects as `ensureVolumes` does. */
export async function ensureImageVolumes(
  deps: VolumeDeps,
  { desired, container }: { readonly desired: DesiredTenant; readonly container: ImagedContainer },
  signal: AbortSignal,
): Promise<readonly ImageVolume[]> {
  const { key } = deps.settings.ownership;
  const wanted = imageVolumesOf(container);
  for (const { source, target } of wanted.filter((volume) => !isAnonymous(volume.source))) {
    const { release, spec } = container.desired;
    const marks = { [key('container')]: release?.of ?? spec.name, [key('path')]: target };
    await ensureVolume(deps, { desired, name: source, marks }, signal);
  }
  return wanted;
}

/** Makes the volumes that hold the container's files. Rejects as `ensureVolumes` does. */
export async function ensureFilesVolumes(
  deps: VolumeDeps,
  { desired, container }: { readonly desired: DesiredTenant; readonly container: ImagedContainer },
  signal: AbortSignal,
): Promise<void> {
  const names = new Set(container.desired.files.map(({ source }) => source));
  for (const name of names) await ensureVolume(deps, { desired, name, marks: {} }, signal);
}

function namedVolumes({ containers }: DesiredTenant): readonly string[] {
  const names = containers.flatMap(({ volumes }) =>
    volumes.filter(({ named }) => named).map(({ source }) => source),
  );
  return [...new Set(names)];
}

function imageVolumesOf({ desired, image, predecessor }: ImagedContainer): readonly ImageVolume[] {
  return imageVolumes(desired, image.volumes, predecessor);
}

interface WantedVolume {
  readonly desired: DesiredTenant;
  readonly name: string;
  /** Besides the owner's. */
  readonly marks: Marks;
}

async function ensureVolume(
  { engine, settings: { ownership } }: VolumeDeps,
  { desired, name, marks }: WantedVolume,
  signal: AbortSignal,
): Promise<void> {
  // Creating one that exists answers with the one that exists, whoever made it.
  const { Labels } =
    (await engine.inspectVolume(name, signal)) ??
    (await engine.createVolume({ Name: name, Labels: { ...desired.marks, ...marks } }, signal));
  if (isIts(desired, Labels, ownership)) return;
  throw new ComputeError(
    'ProviderConflict',
    `volume ${name} exists and ${ownership.describe(desired, Labels)}. Remove it, or name the volume otherwise`,
    { forLog: ownership.identify(Labels) },
  );
}

export async function tenantVolumes(
  engine: Engine,
  { ownership, tenant }: OwnedTenant,
  signal: AbortSignal,
): Promise<readonly Dockerode.VolumeInspectInfo[]> {
  const volumes = await engine.listVolumes(ownership.filter(tenant.tenantId), signal);
  return volumes.filter(({ Labels }) => ownership.belongsTo(tenant, Labels));
}
