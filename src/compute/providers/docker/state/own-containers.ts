import type { Ownership } from '../../../ownership.ts';
import type { InspectedContainer, ListedContainer, ListedPort } from './container-answers.ts';
import { partName, servingName, tenantName } from './container-name.ts';
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

/** By an inspect alone. Undefined: it is none of ours. */
export function inspectedContainer(
  found: InspectedContainer,
  ownership: Ownership,
): ObservedContainer | undefined {
  const [container] = ownContainers([asListed(found, ownership)], ownership);
  return container && withInspect(container, found);
}

/** What an inspect tells, in the words of a list. Of its labels, only the marks: an image may bear any number of others. */
function asListed(found: InspectedContainer, { prefix }: Pick<Ownership, 'prefix'>): ListedContainer {
  const { Id = '', Name, Image, Config, State, Mounts = [], HostConfig, NetworkSettings } = found;
  const marks = Object.entries(Config.Labels ?? {}).filter(([key]) => key.startsWith(`${prefix}.`));
  const networks = Object.entries(NetworkSettings?.Networks ?? {});
  return {
    Id,
    Names: [Name],
    Image: Config.Image,
    ImageID: Image,
    Labels: Object.fromEntries(marks),
    State: State.Status,
    Status: '',
    Ports: Object.entries(NetworkSettings?.Ports ?? {}).flatMap(([port, bound]) => listedPorts(port, bound)),
    Mounts: Mounts.map(({ Type, Name: volume, Destination = '' }) => ({ Type, Name: volume, Destination })),
    HostConfig: { NetworkMode: HostConfig.NetworkMode },
    NetworkSettings: {
      Networks: Object.fromEntries(networks.map(([name, { NetworkID = '' }]) => [name, { NetworkID }])),
    },
  };
}

function listedPorts(
  port: string,
  bound: NonNullable<NonNullable<InspectedContainer['NetworkSettings']>['Ports']>[string],
): readonly ListedPort[] {
  const [container = '', Type = ''] = port.split('/');
  return (bound ?? []).map(({ HostIp: IP = '', HostPort }) => ({
    IP,
    PublicPort: Number(HostPort),
    PrivatePort: Number(container),
    Type,
  }));
}

/** One that the engine has just made, as far as the request tells of it. */
export interface MadeContainer {
  readonly id: string;
  readonly name: string;
  readonly body: {
    readonly Image?: string | undefined;
    readonly Labels?: Readonly<Record<string, string>> | undefined;
    readonly HostConfig?: { readonly NetworkMode?: string | undefined } | undefined;
  };
}

/** As a list would tell of it. */
export function madeContainer({ id, name, body }: MadeContainer, ownership: Ownership): ObservedContainer {
  const { Image = '', Labels = {}, HostConfig } = body;
  return observeContainer(
    {
      Id: id,
      Names: [`/${name}`],
      Image,
      ImageID: Image,
      Labels,
      State: 'created',
      Status: 'Created',
      Ports: [],
      HostConfig,
    },
    ownership,
  );
}
