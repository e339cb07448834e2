import type { Marks } from '../../../ownership.ts';
import type { ConfiningSettings } from './confinement/confinement.ts';

/** What the engine answers about a container, as far as it is read here. The API's own words: more comes along. */

/** An entry of a list. */
export interface ListedContainer {
  readonly Id: string;
  readonly Names: readonly string[];
  /** As the container was made of it: a reference or an id. */
  readonly Image: string;
  readonly ImageID?: string | undefined;
  readonly Labels: Marks;
  readonly State: string;
  /** `Up 2 minutes (healthy)`, `Exited (1) 5 seconds ago`. */
  readonly Status: string;
  readonly Ports: readonly ListedPort[] | null;
  readonly Mounts?: readonly ListedMount[] | null;
  readonly HostConfig?: { readonly NetworkMode?: string | undefined } | undefined;
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, { readonly NetworkID: string }>> | null;
  } | null;
}

export interface ListedPort {
  readonly IP: string;
  /** 0 where the port is not published. */
  readonly PublicPort: number;
  readonly PrivatePort: number;
  readonly Type: string;
}

export interface ListedMount {
  /** volume, bind, tmpfs, … */
  readonly Type?: string | undefined;
  /** Of a volume. */
  readonly Name?: string | undefined;
  readonly Destination: string;
}

export interface InspectedContainer {
  readonly Name: string;
  readonly Created: string;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    /** Stable between tries. */
    readonly Error?: string;
    readonly StartedAt?: string;
    readonly FinishedAt?: string;
    readonly Health?:
      { readonly Status: string; readonly Log?: readonly { readonly Output: string }[] } | undefined;
  };
  readonly Config: { readonly Image: string; readonly Env?: readonly string[] | null };
  readonly HostConfig: ConfiningSettings & {
    readonly NanoCpus?: number | undefined;
    readonly Memory?: number | undefined;
    readonly PidsLimit?: number | null | undefined;
    readonly RestartPolicy?: { readonly Name: string } | undefined;
    readonly PortBindings?: unknown;
    readonly NetworkMode?: string | undefined;
  };
  readonly RestartCount?: number;
  readonly Mounts?: readonly {
    readonly Name?: string | undefined;
    readonly Source: string;
    readonly RW: boolean;
  }[];
  readonly NetworkSettings?:
    | {
        readonly Networks?: Readonly<
          Record<string, { readonly Aliases?: readonly string[] | null; readonly IPAddress?: string }>
        > | null;
      }
    | undefined;
}

/** An inspect, with what tells of a container that no list has told of. */
export interface FoundContainer extends InspectedContainer {
  readonly Id: string;
  /** Of its image. */
  readonly Image?: string;
  readonly Config: InspectedContainer['Config'] & { readonly Labels?: Marks | null };
  readonly Mounts?: (ListedMount & NonNullable<InspectedContainer['Mounts']>[number])[];
  readonly NetworkSettings: {
    readonly Ports?: Readonly<Record<string, readonly FoundPort[] | null>> | null;
    readonly Networks?: Readonly<Record<string, FoundEndpoint>> | null;
  };
}

/** What leads to a port such as `80/tcp`. */
export interface FoundPort {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

interface FoundEndpoint {
  readonly NetworkID: string;
  readonly Aliases?: readonly string[] | null;
  readonly IPAddress?: string;
}
