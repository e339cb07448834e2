import { ComputeError } from '../../../errors.ts';
import type { ListedContainer, ListedPort } from '../state/container-answers.ts';
import type { DesiredContainer } from '../state/desired-tenant.ts';
import { ownContainers } from '../state/own-containers.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';

/**
 * Nothing is stopped for a successor that could not start all the same. Rejects where another container on the engine
 * has published a host port that one of the successors asks for; what else listens on the host, the engine can't tell.
 */
export async function assertPortsFree(
  { engine, settings: { ownership } }: Pick<ConvergeDeps, 'engine' | 'settings'>,
  { attempt, successors }: { readonly attempt: Attempt; readonly successors: readonly DesiredContainer[] },
  signal: AbortSignal,
): Promise<void> {
  const wanted = successors.flatMap(wantedPorts);
  if (wanted.length === 0) return;
  const { desired, failure } = attempt;
  const infos: readonly ListedContainer[] = await engine.listContainers([], signal);
  const own = ownContainers(infos, ownership).filter(({ labels }) => ownership.belongsTo(desired, labels));
  const others = infos.filter(({ Id }) => !own.some(({ id }) => id === Id));
  for (const port of wanted) {
    const holder = others.find(({ Ports }) => (Ports ?? []).some((published) => clashes(port, published)));
    if (holder === undefined) continue;
    throw new ComputeError(
      failure,
      `container ${port.container} can't be replaced: host port ${port.hostPort}/${port.protocol} is published by a ` +
        `container that ${ownership.describe(desired, holder.Labels)}. Free it, or choose another; nothing was stopped`,
      { forLog: `container ${(holder.Names[0] ?? holder.Id).replace(/^\//, '')}` },
    );
  }
}

interface WantedPort {
  readonly container: string;
  readonly hostPort: number;
  readonly protocol: string;
  readonly address: string;
}

function wantedPorts({ spec, network, bindAddress }: DesiredContainer): readonly WantedPort[] {
  if (network.kind === 'mode') return [];
  return (spec.ports ?? []).flatMap(({ hostPort, protocol }) =>
    hostPort === undefined
      ? []
      : [{ container: spec.name, hostPort, protocol: protocol.toLowerCase(), address: bindAddress }],
  );
}

const allAddresses = ['0.0.0.0', '::'];

function clashes(wanted: WantedPort, { IP, PublicPort, Type }: ListedPort): boolean {
  if (PublicPort !== wanted.hostPort || Type !== wanted.protocol) return false;
  return IP === wanted.address || [IP, wanted.address].some((address) => allAddresses.includes(address));
}
