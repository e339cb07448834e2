import { ComputeError } from '../../../errors.ts';
import type { ListedContainer } from '../state/container-answers.ts';
import { servingName } from '../state/container-name.ts';
import type { DesiredContainer } from '../state/desired-tenant.ts';
import {
  asListed,
  claims,
  fixedPorts,
  heldPorts,
  hostPortsMark,
  portText,
} from '../state/network/host-ports.ts';
import type { HeldPort, WantedPort } from '../state/network/host-ports.ts';
import { boundPorts } from '../state/observed-container.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { TooLargeAnswer } from '../engine/answers/answer.ts';
import { earlierOwnerships } from '../watch/places/earlier-places.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';

type Deps = Pick<ConvergeDeps, 'engine' | 'settings' | 'view'>;

/** What may hold a port. */
interface Told {
  readonly infos: readonly ListedContainer[];
  /** Whether the engine says so now; else it was so when it was last heard of. */
  readonly isNow: boolean;
}

/**
 * Nothing is stopped for a successor that could not start all the same. Rejects where another container on the engine
 * has a host port that one of the successors asks for; what else listens on the host, the engine can't tell. `stopping`:
 * as they were just inspected.
 */
export async function assertPortsFree(
  deps: Deps,
  { attempt, successors, stopping }: Succession,
  signal: AbortSignal,
): Promise<void> {
  const asking = successors.flatMap((container) => {
    const wanted = fixedPorts(container).map((port) => ({ ...port, address: container.bindAddress }));
    return wanted.length === 0 ? [] : [{ container, wanted }];
  });
  if (asking.length === 0) return;
  // What one of them publishes, nobody else does.
  const isTheirs = asking.every(({ wanted }) =>
    wanted.every((port) => stopping.some((one) => publishes(one, port))),
  );
  const told = isTheirs
    ? await claimants(deps, signal)
    : { infos: await deps.engine.listContainers([], signal), isNow: true };
  for (const { container, wanted } of asking) {
    const held = await firstHeld(deps, { told, attempt, wanted }, signal);
    if (held === undefined) continue;
    throw new ComputeError(
      attempt.failure,
      `container ${container.spec.name} can't be replaced: ${heldText(held)}; nothing was stopped`,
      { forLog: `container ${held.name}` },
    );
  }
}

interface Succession {
  readonly attempt: Attempt;
  readonly successors: readonly DesiredContainer[];
  readonly stopping: readonly ObservedContainer[];
}

function publishes({ ports }: ObservedContainer, wanted: WantedPort): boolean {
  return ports.some(
    ({ address, hostPort, protocol }) =>
      address === wanted.address && hostPort === wanted.hostPort && protocol === wanted.protocol,
  );
}

/** This operator's containers that were made with host ports. While every change is heard of, nobody is asked for that. */
async function claimants(
  { engine, settings: { ownership }, view }: Deps,
  signal: AbortSignal,
): Promise<Told> {
  const mark = ownership.key(hostPortsMark);
  const heard = view.heardOfAll();
  if (heard === undefined)
    return { infos: await engine.listContainers([...ownership.filter(), mark], signal), isNow: true };
  return { infos: heard.filter(({ labels }) => labels[mark] !== undefined).map(asListed), isNow: false };
}

/**
 * Why containers are not to be started, by their ids: another tenant has a host port of theirs, be it that its container
 * stands still for a moment.
 */
export async function keptPorts(
  deps: Deps,
  { attempt, containers }: { readonly attempt: Attempt; readonly containers: readonly ObservedContainer[] },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const faults = new Map<string, string>();
  const asking = containers.flatMap((container) => {
    const wanted = wantedBy(deps, attempt, container);
    return wanted.length === 0 ? [] : [{ container, wanted }];
  });
  if (asking.length === 0) return faults;
  const told = await claimants(deps, signal);
  for (const { container, wanted } of asking) {
    const held = await firstHeld(deps, { told, attempt, wanted }, signal);
    if (held !== undefined) faults.set(container.id, heldText(held));
  }
  return faults;
}

/** In words, after the engine has refused to start it. Undefined: no container. */
export async function portHolder(
  deps: Deps,
  { attempt, container }: { readonly attempt: Attempt; readonly container: ObservedContainer },
  signal: AbortSignal,
): Promise<string | undefined> {
  const told = { infos: await deps.engine.listContainers([], signal), isNow: true };
  const held = await firstHeld(deps, { told, attempt, wanted: wantedBy(deps, attempt, container) }, signal);
  return held === undefined ? undefined : heldText(held);
}

/** An old one that is put back may have had another address than the one that is desired now: then it is taken by that one. */
function wantedBy(
  { settings: { block, ownership } }: Deps,
  { desired }: Attempt,
  { name, inspected, labels }: ObservedContainer,
): readonly WantedPort[] {
  const wanted = desired.containers.find(({ engineName }) => engineName === servingName(name));
  const address = wanted?.bindAddress ?? block.port_bind_address;
  // Of one that was just made, its marks tell.
  return (inspected?.fixedPorts ?? claims(labels, ownership)).map((port) => {
    const [hostPort = '', protocol = ''] = port.split('/');
    return { hostPort: Number(hostPort), protocol, address };
  });
}

interface Asked {
  readonly told: Told;
  readonly attempt: Attempt;
  readonly wanted: readonly WantedPort[];
}

/**
 * A label may come from the image, and what was heard of may be over: of a container that the engine does not say to publish the
 * port now, its inspect has the last word.
 */
async function firstHeld(
  { engine, settings: { ownership } }: Deps,
  { told: { infos, isNow }, attempt: { desired }, wanted }: Asked,
  signal: AbortSignal,
): Promise<HeldPort | undefined> {
  // What the tenant itself has at an earlier place is stopped for what is started.
  const earlier = earlierOwnerships(desired, ownership);
  const others = infos.filter(({ Labels }) => !earlier.some((there) => there.belongsTo(desired, Labels)));
  for (const held of heldPorts(others, { wanted, tenant: desired, ownership })) {
    // What is taken over gives its ports to its successor.
    if (standsFor(desired, held)) continue;
    if (held.isPublished && isNow) return held;
    const found = await unlessTooLarge(engine.inspectContainer(held.id, signal));
    if (found !== undefined && boundPorts(found.HostConfig).includes(portText(held.port))) return held;
  }
  return undefined;
}

function standsFor({ containers }: Attempt['desired'], { name, kind }: HeldPort): boolean {
  return (
    kind === "something that is not Landlord's" && containers.some(({ foreignName }) => foreignName === name)
  );
}

/** An image can make its container one that nobody can read: who uses it keeps no port, and holds up no other tenant. */
async function unlessTooLarge<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof TooLargeAnswer) return undefined;
    throw error;
  }
}

function heldText({ port, kind }: HeldPort): string {
  return `host port ${portText(port)} is held by ${kind}. Choose another, or have it freed`;
}
