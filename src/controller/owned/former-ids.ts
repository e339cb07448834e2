import type { Tenant } from '../../api/tenant.ts';
import type { OwnedResource } from '../../compute/provider.ts';
import { defaultTenantId, formerTenantId } from '../../compute/spec/tenant-id.ts';
import { objectKey } from '../../kube/client/kube-object.ts';
import type { OwnedLook, Whereabouts } from './owned-look.ts';

/**
 * Tenants whose things on the engines bear an id that an earlier version made of their names. A status tells; where there is
 * none (a hand has wiped it; the Tenant was deleted with Retain and applied again), the engines do.
 */
export interface FormerIds {
  /** A status says so. */
  note(tenant: Tenant): void;
  /** Whether one of these places holds something of it under its former id. Rejects as `Provider.list` does. */
  isUsed(tenant: Tenant, places: readonly Whereabouts[], signal: AbortSignal): Promise<boolean>;
}

/** Each engine is asked for all of them once; after that, only about one that it was known to have. */
export function createFormerIds(ownedOn: OwnedLook): FormerIds {
  const known = new Set<string>();
  const asked = new Set<string>();
  const lookFor = async (key: string, where: Whereabouts, signal: AbortSignal): Promise<boolean> => {
    const place = JSON.stringify([where.enabled.definition.name, where.domain]);
    if (asked.has(place) && !known.has(key)) return false;
    const former = (await ownedOn(where, signal)).filter(bearsFormerId).map(keyOfOwner);
    asked.add(place);
    for (const owner of former) known.add(owner);
    return former.includes(key);
  };
  return {
    note: ({ metadata }) => void known.add(objectKey(metadata.namespace, metadata.name)),
    async isUsed({ metadata }, places, signal) {
      const key = objectKey(metadata.namespace, metadata.name);
      for (const where of places) {
        if (where.enabled.definition.durable && (await lookFor(key, where, signal))) return true;
      }
      return false;
    },
  };
}

function bearsFormerId({ tenantId, namespace, name }: OwnedResource): boolean {
  return tenantId === formerTenantId(namespace, name) && tenantId !== defaultTenantId(namespace, name);
}

function keyOfOwner({ namespace, name }: OwnedResource): string {
  return objectKey(namespace, name);
}
