import type { Ownership } from '../../../ownership.ts';
import type { FoundContainer, ListedContainer } from './container-answers.ts';
import { partName, servingName, tenantName } from './container-name.ts';
import { portsAsListed } from './network/listed-ports.ts';
import { observeContainer, readMade, withInspect } from './observed-container.ts';
import type { ObservedContainer } from './observed-container.ts';

/**
 * Which containers are ours. Labels alone are no proof: `docker commit` copies them into an image, and with it into
 * whatever somebody runs from that. So a container is ours when it bears the labels and a name that goes with them.
 */
export function ownContainers(
  infos: readonly ListedContainer[],
  ownership: Ownership,
): readonly ObservedContainer[] {
  return infos
    .map((info) => observeContainer(info, ownership))
    .filter(({ name, labels }) => bearsOwnName(name, labels, ownership));
}

/** Whether the name is one that the container of these labels has, had or will have. */
export function bearsOwnName(
  name: string,
  labels: ObservedContainer['labels'],
  { key, prefix }: Pick<Ownership, 'key' | 'prefix'>,
): boolean {
  const { tenantId, container } = readMade(labels, key);
  if (tenantId === undefined) return false;
  const only = tenantName(prefix, tenantId);
  const serving = servingName(name);
  return serving === only || (container !== undefined && serving === partName(only, container));
}

/** The container as its inspect alone tells of it, with all that a list would; undefined where it is none of ours. `marks`: kept of its labels. */
export function ownContainer(
  found: FoundContainer,
  ownership: Ownership,
  marks: ReadonlySet<string>,
): ObservedContainer | undefined {
  const { Id, Name, Image, Config, State, Mounts = [], HostConfig, NetworkSettings } = found;
  const info: ListedContainer = {
    Id,
    Names: [Name],
    Image: Config.Image,
    ImageID: Image,
    Labels: marksAmong(Config.Labels ?? {}, [...marks].map(ownership.key)),
    State: State.Status,
    Status: '',
    Ports: portsAsListed(NetworkSettings.Ports),
    Mounts,
    HostConfig,
    NetworkSettings,
  };
  const [own] = ownContainers([info], ownership);
  return own && withInspect(own, found);
}

/** A container that was just made, by the request that the engine took: what a list would tell of it, but for mounts and networks. */
export function madeContainer(
  { id, name, body: { Image = '', Labels = {}, HostConfig } }: JustMade,
  ownership: Pick<Ownership, 'key'>,
): ObservedContainer {
  const info = {
    Id: id,
    Names: [name],
    Image,
    ImageID: Image,
    Labels,
    State: 'created',
    Status: '',
    Ports: [],
  };
  return observeContainer({ ...info, HostConfig }, ownership);
}

interface JustMade {
  readonly id: string;
  readonly name: string;
  readonly body: {
    readonly Image?: string | undefined;
    readonly Labels?: ObservedContainer['labels'] | undefined;
    readonly HostConfig?: ListedContainer['HostConfig'];
  };
}

/** An image may have given it any number of others. */
function marksAmong(
  labels: ObservedContainer['labels'],
  keys: readonly string[],
): ObservedContainer['labels'] {
  return Object.fromEntries(keys.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));
}
