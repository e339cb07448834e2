import { unlessKind } from '../../engine/engine.ts';
import { isOld } from '../../state/container-name.ts';
import type { ObservedContainer } from '../../state/observed-container.ts';
import { bearsOwnName } from '../../state/own-containers.ts';
import { ownershipConflict } from '../../state/ownership-conflict.ts';
import type { Step } from '../../state/plan/step.ts';
import type { Attempt, ConvergeDeps } from '../converge-deps.ts';

interface Renaming {
  readonly step: Extract<Step, { do: 'rename' }>;
  readonly attempt: Attempt;
}

/** One that went away meanwhile is seen to by the next look. Rejects with ProviderConflict where the name is taken. */
export async function renameContainer(
  { engine, settings }: ConvergeDeps,
  { step: { container, name: wanted }, attempt: { desired } }: Renaming,
  signal: AbortSignal,
): Promise<void> {
  const name = nameOf(container, wanted);
  const answer = await unlessKind('gone', engine.renameContainer(container.id, name, signal));
  if (answer !== 'name-taken') return;
  const holder = await engine.inspectContainer(name, signal);
  const { ownership } = settings;
  // Of one that nobody has heard of yet, the next look tells.
  const labels = holder?.Config.Labels ?? {};
  if (holder === undefined || (ownership.belongsTo(desired, labels) && bearsOwnName(name, labels, ownership)))
    return;
  // By something that no list of ours shows.
  throw ownershipConflict(desired, { name, labels: holder.Config.Labels }, ownership);
}

/** What others made gets the name back by which they know it. */
function nameOf({ foreign }: ObservedContainer, name: string): string {
  return foreign !== undefined && !isOld(name) ? foreign.name : name;
}
