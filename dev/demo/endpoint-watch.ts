import { setTimeout as sleep } from 'node:timers/promises';
import type { Tenant } from '../../src/api/tenant.ts';
import { httpGet } from './look.ts';
import type { Stage } from './stage.ts';

/** Does what a client of a tenant would, again and again: reads its status, and asks whoever that names. */
export interface EndpointWatch {
  /** Ends it. */
  stop(): Promise<EndpointHistory>;
}

export interface EndpointHistory {
  /** The URLs that each status named, the one at the start first: none is missed, however short. */
  readonly statuses: readonly (readonly string[])[];
  readonly looks: readonly EndpointLook[];
}

/** One look: the URLs that the status named, and those of them that answered. */
export interface EndpointLook {
  readonly named: readonly string[];
  readonly answering: readonly string[];
}

const lookEveryMs = 40;

export function watchEndpoints(stage: Stage, tenant: string): EndpointWatch {
  const { fleet, signal } = stage;
  const statuses = [namedBy(fleet.get(tenant))];
  const looks: EndpointLook[] = [];
  const forget = fleet.onChange((changed) => {
    if (changed.metadata.name === tenant) statuses.push(namedBy(changed));
  });
  const stopped = new AbortController();
  const watching = (async () => {
    while (!stopped.signal.aborted && !signal.aborted) {
      const named = namedBy(fleet.get(tenant));
      const answers = await Promise.all(named.map((url) => httpGet(url).then(() => url, nobody)));
      looks.push({ named, answering: answers.filter((url) => url !== undefined) });
      await sleep(lookEveryMs);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      forget();
      await watching;
      return { statuses, looks };
    },
  };
}

function namedBy(tenant: Tenant | undefined): string[] {
  return (tenant?.status?.compute?.endpoints ?? []).flatMap(({ url }) => url ?? []);
}

function nobody(): undefined {
  return undefined;
}

/** Looks to which no endpoint of the status answered. */
export function failedLooks({ looks }: EndpointHistory): readonly EndpointLook[] {
  return looks.filter(({ answering }) => answering.length === 0);
}

/** Whether some status named endpoints of the first one together with others. */
export function namedBoth({ statuses }: EndpointHistory): boolean {
  const old = new Set(statuses[0]);
  return statuses.some((named) => named.some((url) => old.has(url)) && named.some((url) => !old.has(url)));
}
