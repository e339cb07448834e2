import type { Ownership } from '../../../ownership.ts';
import type { Change, Looking, Observation, TenantPlace } from '../../../provider.ts';
import type { EngineReads } from '../engine/engine.ts';
import type { Clock } from '../state/container-health.ts';
import type { DesiredContainer, DesiredTenant, DockerSettings } from '../state/desired-tenant.ts';
import { describeLive } from '../state/live-settings.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { shownWithForeign } from '../state/foreign/foreign-container.ts';
import { dataOf, observe } from '../state/observed.ts';
import { tellableObservation, withTellableOutput } from './tellable.ts';
import { assertBelongsTo } from '../state/ownership-conflict.ts';
import { goneContainers } from '../state/plan/gone.ts';
import { inTheWayAtEarlierPlaces, notRunning, stopsEarlier } from './places/earlier-places.ts';
import { lookAtTenant } from './engine-look.ts';
import { foreignContainers } from './foreign/foreign-containers.ts';
import type { EngineView } from './engine-view.ts';
import type { EnginePlaces } from './places/engine-places.ts';
import type { InPlace } from './in-place.ts';
import type { LiveMemory } from './live-memory.ts';

interface StatusDeps {
  readonly engine: EngineReads;
  readonly view: EngineView;
  readonly places: Pick<EnginePlaces, 'elsewhere'>;
  readonly ownership: Ownership;
  readonly settings: Pick<DockerSettings, 'hashKey'>;
  readonly inPlace: InPlace;
  readonly clock: () => Clock;
}

/** See `Provider.getStatus`. */
export async function getStatus(
  { engine, view, places, ownership, settings: { hashKey }, inPlace, clock }: StatusDeps,
  { at, against }: { readonly at: TenantPlace; readonly against: DesiredTenant | undefined },
  { fresh, signal }: Looking,
): Promise<Observation> {
  const { tenantId } = at;
  const there = ownershipAt(at, ownership);
  const asked = places.elsewhere(at.placement, { fresh: false, signal });
  const other = asked && (await asked);
  if (other === undefined && there === ownership) {
    const known = fresh ? undefined : await view.known(tenantId, signal);
    const found = known ?? (await view.fresh(tenantId, signal));
    const containers = found.map((container) => withTellableOutput(container, against?.secrets));
    assertBelongsTo(containers, at, there);
    if (against === undefined) return tellableObservation(observe(against, containers, clock()), { hashKey });
    const foreign = await foreignContainers(
      { engine, ownership },
      { desired: against, own: containers },
      signal,
    );
    const all = [...containers, ...foreign];
    noteInPlace(view.live, against, containers);
    const starting = notRunning(against, all);
    const earlier = await inTheWayAtEarlierPlaces(
      { engine, ownership },
      { desired: against, starting },
      signal,
    );
    const observed = shownWithForeign(observe(against, all, clock()), foreign, dataOf(against, containers));
    const seen = tellableObservation(observed, { ...against, hashKey });
    const changes = [...seen.changes, ...earlier.map(stopsEarlier)];
    const isAsDesired = seen.exists && changes.length === 0 && foreign.length === 0;
    // Without the values of its Secrets nothing could be brought back.
    if (isAsDesired && !against.isUnread) inPlace.note(against);
    const before = inPlace.before(against);
    const gone = before === undefined ? [] : goneContainers(before, containers).map(bringsBack);
    // A rollout was begun on a look at all there is; what has happened since was asked for, and each step looks for itself.
    const isGoingOn = seen.halfway === true && containers.every(({ inspected }) => inspected !== undefined);
    const isAsked = !fresh && (known === undefined || isGoingOn);
    return { ...seen, changes, ...(gone.length === 0 ? {} : { gone }), ...(isAsked && { fresh: true }) };
  }
  // A place of an earlier configuration is not what the watch looks at, nor what is desired now.
  const holder = other ?? engine;
  const containers = await lookAtTenant(holder, there, tenantId, signal);
  assertBelongsTo(containers, at, there);
  const seen = observe(undefined, containers, { ...clock(), nowMs: holder.time.nowMs() });
  return tellableObservation(seen, { hashKey });
}

function bringsBack({ spec: { name } }: DesiredContainer): Change {
  return {
    path: `containers.${name}`,
    desired: 'present',
    actual: 'absent',
    cause: 'drift',
    effect: 'live',
  };
}

/** What differs from now on is drift. */
function noteInPlace(
  live: LiveMemory,
  desired: DesiredTenant,
  containers: readonly ObservedContainer[],
): void {
  for (const wanted of desired.containers) {
    const current = containers.find(({ name }) => name === wanted.engineName);
    if (current?.inspected === undefined) continue;
    const now = describeLive(wanted.live);
    const isInPlace = describeLive(current.inspected.live) === now;
    if (isInPlace && current.applied !== now) live.noteApplied(current.id, wanted.live);
  }
}

function ownershipAt({ placement: { labelPrefix } }: TenantPlace, ownership: Ownership): Ownership {
  const isHere = typeof labelPrefix !== 'string' || labelPrefix === ownership.prefix;
  return isHere ? ownership : ownership.withPrefix(labelPrefix);
}
