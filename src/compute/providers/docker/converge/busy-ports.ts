import { ComputeError } from '../../../errors.ts';
import type { ListedContainer } from '../state/container-answers.ts';
import { servingName } from '../state/container-name.ts';
import type { DesiredContainer } from '../state/desired-tenant.ts';
import { fixedPorts, heldPorts, hostPortsMark, portText } from '../state/network/host-ports.ts';
import type { HeldPort, WantedPort } from '../state/network/host-ports.ts';
import { boundPorts } from '../state/observed-container.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { TooLargeAnswer } from '../engine/answers/answer.ts';
import { earlierOwnerships } from '../watch/places/earlier-places.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';

type Deps = Pick<ConvergeDeps, 'engine' | 'settings'>;

/**
 * Nothing is stopped for a successor that could not start all the same. Rejects where another container on the engine
 * has a host port that one of the successors asks for; what else listens on the host, the engine can't tell.
 */
export async function assertPortsFree(
  deps: Deps,
  { attempt, successors }: { readonly attempt: Attempt; readonly successors: readonly DesiredContainer[] },
  signal: AbortSignal,
): Promise<void> {
  const asking = successors.filter((container) => fixedPorts(container).length > 0);
  if (asking.length === 0) return;
  const infos: readonly ListedContainer[] = await deps.engine.listContainers([], signal);
  for (const container of asking) {
    const wanted = fixedPorts(container).map((port) => ({ ...port, address: container.bindAddress }));
    const held = await firstHeld(deps, { infos, attempt, wanted }, signal);
    if (held === undefined) continue;
    throw new ComputeError(
      attempt.failure,
      `container ${container.spec.name} can't be replaced: ${heldText(held)}; nothing was stopped`,
      { forLog: `container ${held.name}` },
    );
  }
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
  const asking = containers.filter(({ inspected }) => (inspected?.fixedPorts ?? []).length > 0);
  if (asking.length === 0) return faults;
  const { ownership } = deps.settings;
  const label = [...ownership.filter(), ownership.key(hostPortsMark)];
  const infos: readonly ListedContainer[] = await deps.engine.listContainers(label, signal);
  for (const container of asking) {
    const wanted = wantedBy(deps, attempt, container);
    const held = await firstHeld(deps, { infos, attempt, wanted }, signal);
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
  const infos: readonly ListedContainer[] = await deps.engine.listContainers([], signal);
  const held = await firstHeld(deps, { infos, attempt, wanted: wantedBy(deps, attempt, container) }, signal);
  return held === undefined ? undefined : heldText(held);
}

/** An old one that is put back may have had another address than the one that is desired now: then it is taken by that one. */
function wantedBy(
  { settings: { block } }: Deps,
  { desired }: Attempt,
  { name, inspected }: ObservedContainer,
): readonly WantedPort[] {
  const wanted = desired.containers.find(({ engineName }) => engineName === servingName(name));
  const address = wanted?.bindAddress ?? block.port_bind_address;
  return (inspected?.fixedPorts ?? []).map((port) => {
    const [hostPort = '', protocol = ''] = port.split('/');
    return { hostPort: Number(hostPort), protocol, address };
  });
}

interface Asked {
  readonly infos: readonly ListedContainer[];
  readonly attempt: Attempt;
  readonly wanted: readonly WantedPort[];
}

/** A label may come from the image: of a container that stands still, its inspect has the last word. */
async function firstHeld(
  { engine, settings: { ownership } }: Deps,
  { infos, attempt: { desired }, wanted }: Asked,
  signal: AbortSignal,
): Promise<HeldPort | undefined> {
  // What the tenant itself has at an earlier place is stopped for what is started.
  const earlier = earlierOwnerships(desired, ownership);
  const others = infos.filter(({ Labels }) => !earlier.some((there) => there.belongsTo(desired, Labels)));
  for (const held of heldPorts(others, { wanted, tenant: desired, ownership })) {
    // What is taken over gives its ports to its successor.
    if (standsFor(desired, held)) continue;
    if (held.isPublished) return held;
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
