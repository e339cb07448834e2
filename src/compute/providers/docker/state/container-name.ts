/**
 * Names tell which part a container has in a rollout. An underscore is in no container's name, so that a container
 * that is named `next` in the spec is not taken for a successor.
 *
 *     create ──▶ NAME                                             there was none before
 *
 *     create ──▶ NAME_next ──proven──▶ NAME                       once the name is free
 *                  │  └──────failed──▶ removed                    once what was stopped for it runs again
 *                  └─no more wanted──▶ NAME_drop ──▶ removed
 *
 *     NAME ──all successors proven──▶ NAME_old ──▶ stopped, removed   once all successors have their names
 *       ▲                                 │
 *       └──────nobody took the name───────┘
 *
 * NAME gives its name up before its successor takes it, so there is a moment without either. A NAME that can't run
 * beside its successor (same host port, same writable volume) is stopped before, and started again where that fails.
 */

/** Of a tenant's only container. */
export function tenantName(labelPrefix: string, tenantId: string): string {
  return `${labelPrefix}-tenant-${tenantId}`;
}

/** Of one of a tenant's several containers. */
export function partName(tenantName: string, container: string): string {
  return `${tenantName}.${container}`;
}

/**
 * What a container of one of several replicas is called where the spec has a name: the first replica is called as if it were
 * the only one, so that others may come and go beside it.
 */
export function replicaName(container: string, replica: number): string {
  return replica === 1 ? container : `${container}_${replica}`;
}

/** Of which replica a container is, by such a name. */
export function replicaOf(name: string): number {
  return Number(/_(\d+)$/.exec(name)?.[1] ?? 1);
}

/** What the spec calls it. */
export function specName(name: string): string {
  return name.replace(/_\d+$/, '');
}

/** Of the network that a tenant's replica has for itself. */
export function tenantNetworkName(labelPrefix: string, tenantId: string, replica = 1): string {
  return replicaName(`${labelPrefix}-${tenantId}`, replica);
}

/**
 * Of the one beside it, for a tenant that has outgrown it. A period is in no tenant's id. It sorts behind the first: the
 * engine leaves the default route, and with it the published ports, of a container in both to the first.
 */
export function largerNetworkName(networkName: string): string {
  return `${networkName}.large`;
}

const nextSuffix = '_next';
/** Of one that has been succeeded: so that, stopped, it is not taken for one that should run. */
const oldSuffix = '_old';
/** Of a successor that is no longer wanted: so that, stopped on its way out, it is not taken for one that failed. */
const droppedSuffix = '_drop';

export function nextName(engineName: string): string {
  return `${engineName}${nextSuffix}`;
}

export function oldName(engineName: string): string {
  return `${engineName}${oldSuffix}`;
}

export function droppedName(engineName: string): string {
  return `${engineName}${droppedSuffix}`;
}

export function isDropped(name: string): boolean {
  return name.endsWith(droppedSuffix);
}

export function isNext(name: string): boolean {
  return name.endsWith(nextSuffix);
}

export function isOld(name: string): boolean {
  return name.endsWith(oldSuffix);
}

/** The name that a container has, will have or had while it serves. */
export function servingName(name: string): string {
  return name.replace(/_(next|old|drop)$/, '');
}
