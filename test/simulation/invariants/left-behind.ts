import type { Placement } from '../../../src/api/status.ts';
import type { Commit } from '../../controller/memory-apiserver.ts';
import type { StoredTenant } from '../ledger.ts';
import type { Container } from '../models/docker-container.ts';
import type { DockerEngine } from '../models/docker-engine.ts';
import { containersOf, isAtPlaceOf, keyOfTenant } from '../truth.ts';
import type { World } from '../world.ts';

/** The Tenant that goes with this, where its workload is to stay. */
export function keptBy({ user, collection, before, after }: Commit): string | undefined {
  if (collection !== 'tenants' || before === undefined || after !== undefined) return undefined;
  const tenant = before as StoredTenant;
  // A finalizer that a person takes away takes all promises along.
  return user === 'user' || tenant.spec.deletionPolicy === 'Retain' ? keyOfTenant(tenant) : undefined;
}

/** What was to stay when its Tenant went. */
export interface LeftBehind {
  onCommit(commit: Commit): void;
  /** Whether it is at a place that no config leads to, and no Tenant of that name has had since. */
  has(engine: DockerEngine, container: Container): boolean;
}

export function watchLeftBehind(world: World): LeftBehind {
  const left = new Map<Container, DockerEngine>();
  return {
    onCommit(commit) {
      const key = keptBy(commit);
      if (key !== undefined)
        for (const engine of world.engines.values())
          for (const container of containersOf(engine, key)) left.set(container, engine);
      if (commit.collection !== 'tenants' || commit.after === undefined) return;
      const tenant = commit.after as StoredTenant;
      for (const [container, engine] of left)
        if (container.tenant === keyOfTenant(tenant) && isNamedBy(tenant, engine, container))
          left.delete(container);
    },
    has: (engine, container) =>
      left.has(container) && world.operators.every(({ config }) => !isAtPlaceOf(config, engine, container)),
  };
}

/** Whether the Tenant's status names the place where it is. */
function isNamedBy({ status }: StoredTenant, engine: DockerEngine, { labels }: Container): boolean {
  const places = [status?.placement, ...(status?.previousPlacements ?? [])];
  return places.some(
    (place: Placement | undefined) =>
      place?.['engineId'] === `ID-${engine.name}` &&
      Object.keys(labels).some((mark) => mark.startsWith(`${String(place['labelPrefix'])}.`)),
  );
}
