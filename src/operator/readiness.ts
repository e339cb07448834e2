import type { Tenant } from '../api/tenant.ts';
import { crdMissing } from '../controller/followed/missing-crd.ts';
import type { Reflector } from '../kube/cache/reflector.ts';
import { refusalText } from './following.ts';

export interface Readiness {
  /** For the lease: a rolling update must not wait for that. */
  readonly waits: boolean;
  /** Undefined before it has begun. */
  readonly controller: { readonly tenants: Pick<Reflector<Tenant>, 'hasSynced'> } | undefined;
}

/**
 * Why the operator is not ready, in one line; undefined: it is. Of a replica that waits, too, where it could not follow the
 * Tenants as a leader. A namespace that could not be followed from the start holds up none of the others, and is told of
 * elsewhere; one that can't be followed any more is told here.
 */
export function notReady(
  tenants: Pick<Reflector<Tenant>, 'refusals'> | undefined,
  { waits, controller }: Readiness,
): string | undefined {
  const refusals = tenants?.refusals() ?? [];
  if (refusals.some(({ isServed }) => !isServed)) return crdMissing;
  const lost = refusals.filter(({ isLost }) => isLost);
  if (lost.length > 0) return textOf(lost);
  if (waits || controller?.tenants.hasSynced() === true) return undefined;
  return ['Tenants are not known yet', ...(refusals.length === 0 ? [] : [textOf(refusals)])].join('; ');
}

function textOf(refusals: ReturnType<Reflector<Tenant>['refusals']>): string {
  return refusals.map((refusal) => refusalText('Tenants', refusal)).join('; ');
}
