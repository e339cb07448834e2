import { ComputeError } from '../../../../errors.ts';
import type { Ownership } from '../../../../ownership.ts';
import type { EngineReads } from '../../engine/engine.ts';
import type { DesiredContainer, DesiredTenant } from '../../state/desired-tenant.ts';
import { asForeign, foreignNames } from '../../state/foreign/foreign-container.ts';
import type { ForeignInspect } from '../../state/foreign/foreign-inspect.ts';
import type { ObservedContainer } from '../../state/observed-container.ts';

interface Deps {
  readonly engine: EngineReads;
  readonly ownership: Ownership;
}

/**
 * The containers that stand, not made by Landlord, for those of `desired` that have none of their own among `own`. Nothing
 * watches them: the engine is asked each time. Rejects with ProviderConflict where one bears marks of an owner.
 */
export async function foreignContainers(
  deps: Deps,
  { desired, own }: { readonly desired: DesiredTenant; readonly own: readonly ObservedContainer[] },
  signal: AbortSignal,
): Promise<readonly ObservedContainer[]> {
  const names = new Set(own.map(({ name }) => name));
  const looks = desired.containers.flatMap((container) =>
    foreignNames(container, desired)
      // Of those that have one of their own already, what was succeeded is left to be removed.
      .filter(
        (name) => !names.has(name) && (name !== container.foreignName || !names.has(container.engineName)),
      )
      .map((name) => look(deps, { desired, container, name }, signal)),
  );
  return (await Promise.all(looks)).filter((found) => found !== undefined);
}

interface Sought {
  readonly desired: DesiredTenant;
  readonly container: DesiredContainer;
  readonly name: string;
}

async function look(
  { engine, ownership }: Deps,
  { desired, container, name }: Sought,
  signal: AbortSignal,
): Promise<ObservedContainer | undefined> {
  const found = await engine.inspectContainer(name, signal);
  const inspect = found as unknown as ForeignInspect | undefined;
  // The engine takes the beginning of an id for a name, too.
  if (inspect === undefined || inspect.Name !== `/${name}`) return undefined;
  const labels = inspect.Config.Labels ?? {};
  if (labels[ownership.key('owner')] !== undefined) {
    throw new ComputeError(
      'ProviderConflict',
      `container ${name} ${ownership.describe(desired, labels)}: it can be neither observed nor taken over. Name another container_name, or leave it out`,
      { forLog: ownership.identify(labels) },
    );
  }
  const image = await engine.inspectImage(inspect.Image, signal);
  // An image without a name is listed as `<none>:<none>`.
  const names = [...(image?.RepoTags ?? []), ...(image?.RepoDigests ?? [])].filter(
    (one) => !one.startsWith('<'),
  );
  return asForeign(container, desired, { inspect, image: image && { ...image.Config, names } });
}
