import { createHash } from 'node:crypto';

/**
 * How a tenant is called on engines where its spec names no id. Of two Tenants, no two have one id, whatever dashes are in
 * their names: `team` and `a-prod` are not `team-a` and `prod`.
 */

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const maxLength = 63;

/** Both parts without a dash: the only one tells where the first one ends. */
const unambiguous = /^[a-z0-9]+-[a-z0-9]+$/;

/** How an id ends that has a hash; a spec's own may not. */
const derivedEnd = /-(?:[0-9a-f]{8}|[0-9a-f]{16})$/;

/** `NAMESPACE-NAME`, followed by a hash of both wherever that could be another Tenant's, too. Always a DNS label. */
export function defaultTenantId(namespace: string, name: string): string {
  const id = `${namespace}-${name}`;
  if (unambiguous.test(id) && id.length <= maxLength && !derivedEnd.test(id)) return id;
  const hash = createHash('sha256').update(`${namespace}/${name}`).digest('hex');
  const isWhole = dnsLabel.test(id) && id.length + 9 <= maxLength;
  // Where characters are lost, others may be chosen until a short hash is the same.
  return isWhole ? `${id}-${hash.slice(0, 8)}` : `${sanitised(id, maxLength - 17)}-${hash.slice(0, 16)}`;
}

/** As earlier versions had it. What was made under such an id keeps it. */
export function formerTenantId(namespace: string, name: string): string {
  const id = `${namespace}-${name}`;
  if (dnsLabel.test(id)) return id;
  const hash = createHash('sha256').update(`${namespace}/${name}`).digest('hex').slice(0, 8);
  return `${sanitised(id, maxLength - 9)}-${hash}`;
}

function sanitised(id: string, length: number): string {
  return id
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, length)
    .replace(/^-+/, '');
}

/** What keeps a Tenant of this namespace from having an id of its own choice; undefined: nothing. */
export function strangeness(tenantId: string, namespace: string): string | undefined {
  if (!tenantId.startsWith(`${namespace}-`)) return `does not begin with ${namespace}-`;
  if (derivedEnd.test(tenantId))
    return 'ends in 8 or 16 hex digits, as those do that are made of a namespace and a name';
  return undefined;
}
