import type { Change } from '../../../../provider.ts';
import type { DesiredContainer } from '../desired-tenant.ts';
import { endsForGood } from '../live-settings.ts';
import type { ObservedContainer } from '../observed-container.ts';
import type { ContainerComparison } from '../plan/comparison.ts';
import { oldRepair } from '../plan/repair.ts';
import { siblingIn } from './shared-namespace.ts';

/**
 * Containers in the network namespace of a sibling. The engine knows that one by its id, so that they are other ones once it is
 * replaced; and one that was started anew has another namespace, which leads those that run on nowhere. Pure.
 */

/** The same, by whose namespace each is in. */
export function withJoined(containers: readonly ContainerComparison[]): readonly ContainerComparison[] {
  return containers.map((one) => {
    const holder = holderOf(one.desired, containers);
    return holder === undefined ? one : joinedTo(holder, one);
  });
}

/** The name, on the engine, of whose namespace one that is to be made is to be in. `asMade`: what that is made as with it. */
export function joins(
  desired: DesiredContainer,
  containers: readonly ContainerComparison[],
  asMade: (engineName: string) => string,
): { readonly joins?: string } {
  const holder = holderOf(desired, containers);
  if (holder === undefined) return {};
  return { joins: standingFor(holder)?.name ?? asMade(holder.desired.engineName) };
}

/** Those that are in the namespace of one of `others`, and would be cut off with it. */
export function cutOffWith(
  others: readonly ObservedContainer[],
  containers: readonly ObservedContainer[],
): readonly ObservedContainer[] {
  return containers.filter((one) => others.some((other) => isIn(other, one)));
}

export function isIn(
  holder: Pick<ObservedContainer, 'id'>,
  container: Pick<ObservedContainer, 'networkMode'>,
): boolean {
  return container.networkMode === `container:${holder.id}`;
}

/** Whether it is in another container's namespace, of whatever tenant. */
export function isInAnothers({ networkMode }: Pick<ObservedContainer, 'networkMode'>): boolean {
  return networkMode.startsWith('container:');
}

function holderOf(
  { network }: Pick<DesiredContainer, 'network'>,
  containers: readonly ContainerComparison[],
): ContainerComparison | undefined {
  const sibling = network.kind === 'mode' ? siblingIn(network.name) : undefined;
  return sibling === undefined ? undefined : containers.find(({ desired }) => desired.spec.name === sibling);
}

/** What is as desired of it, be it not in place yet. */
function standingFor({
  current,
  currentMatches,
  next,
  nextMatches,
}: ContainerComparison): ObservedContainer | undefined {
  if (currentMatches) return current;
  return nextMatches ? next : undefined;
}

function joinedTo(holder: ContainerComparison, one: ContainerComparison): ContainerComparison {
  const { current, next, desired } = one;
  const currentMatches = one.currentMatches && current !== undefined && isInPlace(current, holder);
  const nextMatches = one.nextMatches && next !== undefined && isInPlace(next, holder);
  if (!currentMatches) return { ...one, currentMatches, nextMatches, repair: 'none', liveDiffers: false };
  const isCutOff =
    one.repair === 'none' &&
    !endsForGood(desired.live.restartPolicy) &&
    hasBegunAnew(standingFor(holder), current);
  return { ...one, nextMatches, ...(isCutOff && { repair: 'restart', isCutOff }) };
}

/** What has ended for good needs no network; and where there is nobody to join, that one comes first. */
function isInPlace(container: ObservedContainer, holder: ContainerComparison): boolean {
  if (container.state === 'exited' && oldRepair(container) === 'none') return true;
  const standing = standingFor(holder);
  return standing === undefined ? holder.current === undefined : isIn(standing, container);
}

/** Whether the one whose namespace it is has been started since it was itself. */
function hasBegunAnew(holder: ObservedContainer | undefined, container: ObservedContainer): boolean {
  const [begun, joined] = [holder?.inspected?.startedMs, container.inspected?.startedMs];
  if (holder?.state !== 'running' || container.state !== 'running') return false;
  return begun !== undefined && joined !== undefined && begun > joined;
}

/** Of one that differs in nothing but whose namespace it is in. `coming`: what is to take over from others. */
export function joinChange(
  { desired, coming }: { readonly desired: DesiredContainer; readonly coming: readonly DesiredContainer[] },
  { path, effect }: Pick<Change, 'path' | 'effect'>,
): Change {
  const { name } = desired.network;
  const isReplaced = coming.some(({ spec }) => spec.name === siblingIn(name));
  const cause = isReplaced ? 'spec' : 'drift';
  return {
    path: `${path}.network_mode`,
    desired: name,
    actual: 'that of a container before it',
    cause,
    effect,
  };
}
