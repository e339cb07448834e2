import type { Marks } from '../../../../ownership.ts';
import type { FoundPort, InspectedContainer, ListedContainer } from '../container-answers.ts';
import { portsAsListed } from '../network/listed-ports.ts';

/** What the engine answers of a container that was not made by Landlord, as far as it is compared with a spec. */
export interface ForeignInspect extends InspectedContainer {
  readonly Id: string;
  /** Id of its image. */
  readonly Image: string;
  readonly Config: InspectedContainer['Config'] & ImageSettings & { readonly Labels?: Marks | null };
  readonly HostConfig: InspectedContainer['HostConfig'] & {
    readonly AutoRemove?: boolean;
    readonly Tmpfs?: Readonly<Record<string, string>> | null;
  };
  readonly Mounts?: readonly ForeignMount[];
  readonly NetworkSettings?: InspectedContainer['NetworkSettings'] & {
    readonly Ports?: Readonly<Record<string, readonly FoundPort[] | null>> | null;
  };
}

export interface ForeignMount {
  /** volume, bind or tmpfs. */
  readonly Type?: string;
  readonly Name?: string | undefined;
  readonly Source: string;
  readonly Destination: string;
  readonly RW: boolean;
}

/** What an image gives to its containers where they do not say otherwise. */
export interface ImageSettings {
  readonly Entrypoint?: readonly string[] | string | null | undefined;
  readonly Cmd?: readonly string[] | string | null | undefined;
  readonly Env?: readonly string[] | null;
}

/** The image of a container, and what it is called. */
export interface ForeignImage extends ImageSettings {
  readonly names: readonly string[];
}

/** The same container as a list has it. */
export function asListed(inspect: ForeignInspect): ListedContainer {
  const { Id, Name, Image, Config, State, HostConfig, NetworkSettings, Mounts = [] } = inspect;
  const networks = Object.keys(NetworkSettings?.Networks ?? {}).map((name) => [name, { NetworkID: '' }]);
  return {
    Id,
    Names: [Name],
    Image: Config.Image,
    ImageID: Image,
    Labels: {},
    State: State.Status,
    Status: '',
    Ports: portsAsListed(NetworkSettings?.Ports),
    Mounts: Mounts.map(({ Type, Name: volume, Destination }) => ({ Type, Name: volume, Destination })),
    HostConfig: { NetworkMode: HostConfig.NetworkMode },
    NetworkSettings: {
      Networks: Object.fromEntries(networks) as Record<string, { readonly NetworkID: string }>,
    },
  };
}
