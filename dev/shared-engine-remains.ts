import type Dockerode from 'dockerode';
import { dockerAt } from './docker-at.ts';

/** By what a run is told from all else on an engine that it shares with others. */
export interface SharedEngineRemains {
  /** As in DOCKER_HOST. */
  readonly dockerHost: string;
  /** Of the run's registry. */
  readonly registryAddress: string;
  /** Of its control plane: the UID of kube-system, which stands on what its operators make. */
  readonly clusterUid: string;
}

/** Removes all that bears the marks of a run that is over. Safe to call again. */
export async function removeSharedEngineRemains(remains: SharedEngineRemains): Promise<void> {
  const docker = dockerAt(remains.dockerHost);
  await removeImagesOf(remains.dockerHost, remains.registryAddress);
  const filters = { label: [`landlord.cluster=${remains.clusterUid}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) await removeContainer(docker, Id);
  for (const { Id } of await docker.listNetworks({ filters: JSON.stringify(filters) })) {
    await ifThere(docker.getNetwork(Id).remove());
  }
  const { Volumes } = await docker.listVolumes({ filters: JSON.stringify(filters) });
  for (const { Name } of Volumes ?? []) await ifThere(docker.getVolume(Name).remove());
}

/** Removes the images of a registry that is no more, and before them the containers that were made from them. */
export async function removeImagesOf(dockerHost: string, registryAddress: string): Promise<void> {
  const docker = dockerAt(dockerHost);
  const isOfRegistry = (reference: string): boolean => reference.startsWith(`${registryAddress}/`);
  const images = (await docker.listImages()).map(({ Id, RepoTags, RepoDigests }) => ({
    id: Id,
    references: [...(RepoTags ?? []), ...(RepoDigests ?? [])].filter(isOfRegistry),
  }));
  const ids = new Set(images.filter(({ references }) => references.length > 0).map(({ id }) => id));
  for (const { Id, ImageID } of await docker.listContainers({ all: true })) {
    // The same image may be somebody else's under another name: only the container itself knows which was asked for.
    if (ids.has(ImageID) && isOfRegistry(await imageOf(docker, Id))) await removeContainer(docker, Id);
  }
  for (const { references } of images) {
    for (const reference of references) await ifThere(docker.getImage(reference).remove());
  }
}

async function imageOf(docker: Dockerode, container: string): Promise<string> {
  const found = await ifThere(docker.getContainer(container).inspect());
  // What the operator makes is made of an image's id, and bears its name.
  const [, named] = Object.entries(found?.Config.Labels ?? {}).find(([key]) => key.endsWith('.image')) ?? [];
  return named ?? found?.Config.Image ?? '';
}

async function removeContainer(docker: Dockerode, id: string): Promise<void> {
  await ifThere(docker.getContainer(id).remove({ force: true, v: true }));
}

/** Undefined where it is gone, about to be, or in use by somebody. */
export async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  return call.catch((error: unknown) => {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 404 || statusCode === 409) return undefined;
    throw error;
  });
}
