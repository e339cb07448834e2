import type { Ownership } from '../../../../ownership.ts';
import type { TenantPlace } from '../../../../provider.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ObservedContainer } from '../../state/observed-container.ts';
import type { EngineView } from '../../watch/engine-view.ts';
import type { EnginePlaces } from '../../watch/places/engine-places.ts';
import { tenantContainers } from '../tenant-networks.ts';
import { ownedAt } from '../destroy-tenant.ts';

/** Which engine holds a place that is to be emptied. */
export interface Holder {
  /** Another one than the present one. */
  readonly other?: Engine | undefined;
  /** What was listed of the tenant on the present one to find that out. */
  readonly containers?: readonly ObservedContainer[];
}

interface HolderDeps {
  readonly engine: Engine;
  readonly places: Pick<EnginePlaces, 'elsewhere' | 'isHere'>;
  readonly view: Pick<EngineView, 'heard'>;
  readonly ownership: Ownership;
}

/**
 * Which engine answers is asked for: what another one has not is no sign that nothing is left. Unless its list shows a container
 * that this one was heard of: there is no other of that id. Rejects where the holder can't be reached, or told.
 */
export async function holderOf(
  { engine, places, view, ownership }: HolderDeps,
  at: TenantPlace,
  signal: AbortSignal,
): Promise<Holder> {
  const heard = new Set(view.heard(at.tenantId).map(({ id }) => id));
  const containers =
    heard.size > 0 && places.isHere(at.placement)
      ? await tenantContainers(engine, ownedAt(at, ownership), signal)
      : undefined;
  if (containers?.some(({ id }) => heard.has(id)) === true) return { containers };
  const asked = places.elsewhere(at.placement, { fresh: true, signal });
  const other = asked && (await asked);
  return other === undefined && containers !== undefined ? { containers } : { other };
}
