import type { Tenant } from '../../api/tenant.ts';
import type { OwnedResource } from '../../compute/provider.ts';
import type { EnabledProvider } from '../../compute/selection/enabled-providers.ts';
import { defaultTenantId, formerTenantId } from '../../compute/spec/tenant-id.ts';
import { objectKey } from '../../kube/client/kube-object.ts';
import type { OwnedLook } from './owned-look.ts';

/**
 * Tenants whose things on the engines bear an id that an earlier version made of their names. A status tells; where there is
 * none (a hand has wiped it; the Tenant was deleted with Retain and applied again), the engines do.
 */
export interface FormerIds {
  /** A status says so. */
  note(tenant: Tenant): void;
  /** Whether one of the providers holds something of it under its former id. Rejects as `Provider.list` does. */
  isUsed(tenant: Tenant, providers: readonly EnabledProvider[], signal: AbortSignal): Promise<boolean>;
}

/** Each engine is asked for all of them once; after that, only about one that it was known to have. */
export function createFormerIds(ownedOn: OwnedLook): FormerIds {
  const known = new Set<string>();
  const asked = new Set<EnabledProvider>();
  const lookFor = async (key: string, enabled: EnabledProvider, signal: AbortSignal): Promise<boolean> => {
    if (asked.has(enabled) && !known.has(key)) return false;
    const former = (await ownedOn(enabled, signal)).filter(bearsFormerId).map(keyOfOwner);
    asked.add(enabled);
    for (const owner of former) known.add(owner);
    return former.includes(key);
  };
  return {
    note: ({ metadata }) => void known.add(objectKey(metadata.namespace, metadata.name)),
    async isUsed({ metadata }, providers, signal) {
      const key = objectKey(metadata.namespace, metadata.name);
      for (const enabled of providers) {
        if (enabled.definition.durable && (await lookFor(key, enabled, signal))) return true;
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
