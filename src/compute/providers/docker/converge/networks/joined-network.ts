import type { Attempt, ConvergeDeps } from '../converge-deps.ts';
import { EngineRefusal } from '../../engine/engine.ts';
import { bearsOwnName } from '../../state/own-containers.ts';
import type { DesiredNetwork } from '../../state/network/choose-network.ts';
import { isInAnothers } from '../../state/network/joined-containers.ts';
import type { ObservedContainer } from '../../state/observed-container.ts';
import type { NewContainer } from '../../state/plan/step.ts';

/** The way into the network namespace of a sibling. */

/** Those first whose namespace others are to be in. */
export function inOrderOfJoining<New extends NewContainer>(containers: readonly New[]): readonly New[] {
  return [
    ...containers.filter(({ joins }) => joins === undefined),
    ...containers.filter(({ joins }) => joins !== undefined),
  ];
}

/**
 * Where it is by now; undefined: it joins none. Rejects with EngineRefusal where that one is not there, or is not the tenant's:
 * a name is anybody's to take.
 */
export async function joinedNetwork(
  { engine, settings: { ownership } }: Pick<ConvergeDeps, 'engine' | 'settings'>,
  {
    attempt,
    container: { joins },
  }: { readonly attempt: Pick<Attempt, 'desired'>; readonly container: NewContainer },
  signal: AbortSignal,
): Promise<DesiredNetwork | undefined> {
  if (joins === undefined) return undefined;
  const found = await engine.inspectContainer(joins, signal);
  const labels = found?.Config.Labels ?? {};
  const isOwn = ownership.belongsTo(attempt.desired, labels) && bearsOwnName(joins, labels, ownership);
  // An engine also takes an id, or its first digits.
  if (found?.Name === `/${joins}` && isOwn) return { kind: 'mode', name: `container:${found.Id}` };
  const message = `the container ${joins} is not there, whose network namespace it is to be in`;
  throw new EngineRefusal('other', 404, message);
}

/** Whether a start was refused for the sake of a sibling whose namespace it is in, and that has ended since it was seen to run. */
export async function isHolderDown(
  { engine, settings: { ownership } }: Pick<ConvergeDeps, 'engine' | 'settings'>,
  {
    attempt,
    container,
  }: { readonly attempt: Pick<Attempt, 'desired'>; readonly container: ObservedContainer },
  signal: AbortSignal,
): Promise<boolean> {
  if (!isInAnothers(container)) return false;
  const holder = await engine.inspectContainer(container.networkMode.replace(/^container:/, ''), signal);
  if (holder === undefined || !ownership.belongsTo(attempt.desired, holder.Config.Labels ?? {})) return false;
  return holder.State.Status !== 'running';
}
