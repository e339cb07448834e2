import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tenant } from '../../src/api/tenant.ts';
import type { Resource } from '../../src/kube/client/resource.ts';

/** Says when it is worth to look at a Tenant again. */
export interface TenantChanges {
  /** How often this Tenant was seen to change so far: taken before the look, so that no change is missed. */
  count(name: string): number;
  /** Resolves a little after it has changed more often than that; after a moment in any case, should the watch be broken. */
  after(name: string, count: number): Promise<void>;
  close(): void;
}

/** For who waits while the watch is broken, or for more than the Tenant tells. */
const momentMs = 2_000;
/** A pass writes more than once and ends after its last write: one look for all of it. */
const burstMs = 50;

/** Watches a namespace: to ask for each Tenant 20 times a second keeps an apiserver, and the asker, busy. */
export function watchTenantChanges(tenants: Resource<Tenant>, namespace: string): TenantChanges {
  const counts = new Map<string, number>();
  const changed = new EventEmitter().setMaxListeners(0);
  const closing = new AbortController();
  const count = (name: string): number => counts.get(name) ?? 0;

  const follow = async (): Promise<void> => {
    const { signal } = closing;
    const stream = await tenants.watch({ namespace, timeoutSeconds: 3_600, openTimeoutMs: 30_000, signal });
    for await (const { object } of stream) {
      const { name } = object.metadata;
      counts.set(name, count(name) + 1);
      changed.emit(eventOf(name));
    }
  };
  const followOn = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await follow().catch(() => undefined);
      await sleep(momentMs, undefined, { ref: false });
    }
  };

  let following: Promise<void> | undefined;
  return {
    count,
    async after(name, before) {
      following ??= followOn();
      if (count(name) <= before)
        await once(changed, eventOf(name), { signal: AbortSignal.timeout(momentMs) }).catch(() => undefined);
      await sleep(burstMs);
    },
    close: () => closing.abort(),
  };
}

/** `error` is not an event like others. */
function eventOf(tenant: string): string {
  return `tenant ${tenant}`;
}
