import { findCondition } from '../../src/api/conditions.ts';
import type { Commit } from '../controller/memory-apiserver.ts';
import type { KubeObject } from '../../src/kube/client/kube-object.ts';
import type { TenantSpec } from '../../src/api/tenant.ts';
import type { TenantStatus } from '../../src/api/status.ts';

/** A Tenant as it was stored from one instant to the next. */
export interface Revision {
  readonly sinceMs: number;
  readonly tenant: StoredTenant;
}

export interface StoredTenant extends KubeObject {
  readonly spec: Partial<TenantSpec>;
  readonly status?: TenantStatus;
}

/** All that Tenants and Secrets have ever been, as the apiserver stored them. */
export interface Ledger {
  take(commit: Commit): void;
  /** Tenants that are there, by `namespace/name`. */
  readonly tenants: ReadonlyMap<string, StoredTenant>;
  /** What was there under that key at some time since `sinceMs`, oldest first; `undefined` where there was nothing. */
  since(key: string, sinceMs: number): readonly (StoredTenant | undefined)[];
  /** The Tenant as it was with that generation. */
  ofGeneration(uid: string, generation: number): StoredTenant | undefined;
  /** Every key that was ever there. */
  everSeen(): Iterable<string>;
  /** Whether that generation was ever called Ready. */
  wasReady(uid: string, generation: number): boolean;
  /** When the key was last called Ready; 0: never. */
  lastReadyMs(key: string): number;
  /** When the key was last written by somebody who is no operator; 0: never. */
  lastEditMs(key: string): number;
  /** Values that a key of a Secret has had since `sinceMs`; empty where it is not there. */
  secretValues(secret: string, key: string, sinceMs: number): readonly string[];
  /** Every value that a Secret has ever had. */
  readonly secrets: ReadonlySet<string>;
}

interface Entry<T> {
  readonly sinceMs: number;
  readonly value: T | undefined;
}

export function createLedger(now: () => number): Ledger {
  const tenants = new Map<string, StoredTenant>();
  const history = new Map<string, Entry<StoredTenant>[]>();
  const generations = new Map<string, StoredTenant>();
  const ready = new Set<string>();
  const readyMs = new Map<string, number>();
  const edits = new Map<string, number>();
  const values = new Map<string, Entry<string>[]>();
  const secrets = new Set<string>();

  const takeTenant = ({ user, subresource, before, after }: Commit): void => {
    const { namespace = '', name = '', uid = '' } = (after ?? before)?.metadata ?? {};
    const key = `${namespace}/${name}`;
    const tenant = after as StoredTenant | undefined;
    if (tenant === undefined) tenants.delete(key);
    else tenants.set(key, tenant);
    if (user === 'user') edits.set(key, now());
    if (tenant !== undefined) generations.set(`${uid}/${tenant.metadata.generation ?? 0}`, tenant);
    if (tenant !== undefined && isReady(tenant)) {
      ready.add(`${uid}/${tenant.metadata.generation ?? 0}`);
      readyMs.set(key, now());
    }
    // A status changes nothing of what is wanted.
    if (subresource === 'status' && tenant !== undefined) return;
    append(history, key, { sinceMs: now(), value: tenant });
  };
  const takeSecret = ({ before, after }: Commit): void => {
    const { name = '' } = (after ?? before)?.metadata ?? {};
    const data = ((after ?? {}) as { data?: Record<string, string> }).data ?? {};
    const known = ((before ?? {}) as { data?: Record<string, string> }).data ?? {};
    for (const key of new Set([...Object.keys(data), ...Object.keys(known)])) {
      const encoded = data[key];
      const value = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
      if (value !== undefined) secrets.add(value);
      append(values, `${name}/${key}`, { sinceMs: now(), value });
    }
  };
  return {
    tenants,
    secrets,
    take(commit) {
      if (commit.collection === 'tenants') takeTenant(commit);
      if (commit.collection === 'secrets') takeSecret(commit);
    },
    since: (key, sinceMs) => within(history.get(key) ?? [], sinceMs),
    ofGeneration: (uid, generation) => generations.get(`${uid}/${generation}`),
    everSeen: () => history.keys(),
    wasReady: (uid, generation) => ready.has(`${uid}/${generation}`),
    lastReadyMs: (key) => readyMs.get(key) ?? 0,
    lastEditMs: (key) => edits.get(key) ?? 0,
    secretValues: (secret, key, sinceMs) =>
      within(values.get(`${secret}/${key}`) ?? [], sinceMs).filter((value) => value !== undefined),
  };
}

/** Whether it says of this very generation that it is Ready, and not only of what runs, whatever is asked for. */
export function isReady({ status, metadata: { generation } }: StoredTenant): boolean {
  if (status?.phase === 'Observed') return false;
  const ready = findCondition(status?.conditions, 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === generation;
}

function append<T>(entries: Map<string, Entry<T>[]>, key: string, entry: Entry<T>): void {
  const known = entries.get(key);
  if (known === undefined) entries.set(key, [entry]);
  else known.push(entry);
}

/** The last one before `sinceMs` was in force then. */
function within<T>(entries: readonly Entry<T>[], sinceMs: number): readonly (T | undefined)[] {
  const first = entries.findLastIndex((entry) => entry.sinceMs <= sinceMs);
  return [
    ...(first === -1 ? [undefined] : []),
    ...entries.slice(Math.max(0, first)).map(({ value }) => value),
  ];
}
