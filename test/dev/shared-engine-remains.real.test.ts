import { randomUUID } from 'node:crypto';
import { expect, inject, it, onTestFinished } from 'vitest';
import { dockerAt } from '../../dev/docker-at.ts';
import { startPrivateDockerEngine } from '../../dev/docker-engine.ts';
import { pushImage } from '../../dev/images.ts';
import { startRegistry } from '../../dev/registry.ts';
import { removeSharedEngineRemains } from '../../dev/shared-engine-remains.ts';
import { pull } from './run-container.ts';

it('of a shared engine all goes that a run has made, and all stays that others have, the same image too', async () => {
  const engine = await startPrivateDockerEngine();
  onTestFinished(() => engine.stop());
  const docker = dockerAt(engine.host);
  const others = { address: inject('registryAddress') };
  const registry = await startRegistry();
  onTestFinished(() => registry.stop());
  const image = { repository: 'shared-engine', tag: '1' };
  const clusterUid = randomUUID();

  const populate = async (owner: { address: string }, name: string, cluster: string): Promise<void> => {
    const reference = await pushImage(owner, image);
    await pull(docker, reference);
    const digest = (await docker.getImage(reference).inspect()).RepoDigests.find((text) =>
      text.startsWith(owner.address),
    );
    await pull(docker, digest ?? 'no digest');
    const Labels = { 'landlord.cluster': cluster };
    await docker.createNetwork({ Name: name, Labels });
    await docker.createVolume({ Name: name, Labels });
    const HostConfig = { NetworkMode: name, Binds: [`${name}:/tmp`] };
    // One that bears no mark but its image, with an anonymous volume.
    for (const unmarked of [{ Image: reference, Labels, HostConfig }, { Image: reference }]) {
      await (await docker.createContainer({ ...unmarked, Volumes: { '/anonymous': {} } })).start();
    }
  };
  const everything = async () => ({
    containers: (await docker.listContainers({ all: true })).map(({ Id, State }) => `${Id} ${State}`),
    networks: (await docker.listNetworks()).map(({ Id }) => Id).toSorted(),
    volumes: (await docker.listVolumes()).Volumes.map(({ Name }) => Name).toSorted(),
    images: (await docker.listImages({ all: true })).flatMap(({ RepoTags, RepoDigests }) => [
      ...(RepoTags ?? []),
      ...(RepoDigests ?? []),
    ]),
  });

  await populate(others, 'others', randomUUID());
  const before = await everything();
  await populate(registry, 'ours', clusterUid);
  expect((await everything()).images).not.toEqual(before.images);
  const remains = { dockerHost: engine.host, registryAddress: registry.address, clusterUid };
  await removeSharedEngineRemains(remains);
  expect(await everything()).toEqual(before);
  await removeSharedEngineRemains(remains);
  expect(await everything()).toEqual(before);
});
