import type { Ownership } from '../../../../ownership.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { ListedContainer, ListedPort } from '../container-answers.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { ownContainers } from '../own-containers.ts';
import type { DesiredNetwork } from './choose-network.ts';

/**
 * Who holds a port of the host, as far as the engine tells. A tenant's port stays its own while its container stands still:
 * whoever waited for that moment could else take it. Pure.
 */

export interface HostPort {
  readonly hostPort: number;
  /** tcp, udp or sctp. */
  readonly protocol: string;
}

export interface WantedPort extends HostPort {
  readonly address: string;
}

/** Of whose kind the holder is. Who it is, is nothing for a tenant to know. */
export type HolderKind =
  'another tenant of this operator' | 'a tenant of another operator' | "something that is not Landlord's";

export interface HeldPort {
  readonly port: WantedPort;
  readonly kind: HolderKind;
  /** The container that holds it. */
  readonly id: string;
  readonly name: string;
  /** Whether it is published at present; else the container was made with it, by its label, and stands still. */
  readonly isPublished: boolean;
}

/** The name of the label with the host ports that a container asks for by number. */
export const hostPortsMark = 'host_ports';

/** `8080/tcp`. */
export function portText({ hostPort, protocol }: HostPort): string {
  return `${hostPort}/${protocol}`;
}

interface Publishing {
  readonly spec: Pick<ContainerSpec, 'ports'>;
  readonly network: DesiredNetwork;
}

export function fixedPorts({ spec, network }: Publishing): readonly HostPort[] {
  if (network.kind === 'mode') return [];
  return (spec.ports ?? []).flatMap(({ hostPort, protocol }) =>
    hostPort === undefined ? [] : [{ hostPort, protocol: protocol.toLowerCase() }],
  );
}

interface Asking {
  readonly wanted: readonly WantedPort[];
  readonly tenant: { readonly namespace: string; readonly name: string };
  readonly ownership: Ownership;
}

/** The wanted ports that somebody else holds, and by whom. */
export function heldPorts(
  infos: readonly ListedContainer[],
  { wanted, tenant, ownership }: Asking,
): readonly HeldPort[] {
  const made = new Map(ownContainers(infos, ownership).map(({ id, labels }) => [id, labels]));
  const others = infos.filter(({ Id }) => !made.has(Id) || !ownership.belongsTo(tenant, made.get(Id)));
  return wanted.flatMap((port) =>
    others.flatMap((info): readonly HeldPort[] => {
      const { Id: id, Names, State, Labels, Ports } = info;
      const isPublished = (Ports ?? []).some((published) => clashes(port, published));
      // One that was never started has only asked for it.
      const isKept =
        made.has(id) && State !== 'created' && claims(Labels, ownership).includes(portText(port));
      if (!isPublished && !isKept) return [];
      const name = (Names[0] ?? id).replace(/^\//, '');
      return [{ port, id, name, isPublished, kind: kindOf(info, made.has(id), ownership) }];
    }),
  );
}

/** By its label, which its image may have given it. */
export function claims(
  labels: ListedContainer['Labels'],
  { key }: Pick<Ownership, 'key'>,
): readonly string[] {
  return (labels[key(hostPortsMark)] ?? '').split(',').filter((port) => port !== '');
}

/** What is known of a container, as a list would have it. */
export function asListed({ id, name, image, labels, state, ports }: ObservedContainer): ListedContainer {
  return {
    Id: id,
    Names: [`/${name}`],
    Image: image,
    Labels: labels,
    State: state,
    Status: '',
    Ports: ports.map(({ address, hostPort, containerPort, protocol }) => ({
      IP: address,
      PublicPort: hostPort,
      PrivatePort: containerPort,
      Type: protocol,
    })),
  };
}

function kindOf({ Labels }: ListedContainer, isOurs: boolean, { key }: Ownership): HolderKind {
  if (isOurs) return 'another tenant of this operator';
  return Labels[key('owner')] === undefined
    ? "something that is not Landlord's"
    : 'a tenant of another operator';
}

const allAddresses = ['0.0.0.0', '::'];

function clashes(wanted: WantedPort, { IP, PublicPort, Type }: ListedPort): boolean {
  if (PublicPort !== wanted.hostPort || Type !== wanted.protocol) return false;
  return IP === wanted.address || [IP, wanted.address].some((address) => allAddresses.includes(address));
}
