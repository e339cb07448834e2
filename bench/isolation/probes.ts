import { setTimeout as sleep } from 'node:timers/promises';
import { recordEvents } from '../engine-record.ts';
import type { EventRecord } from '../engine-record.ts';
import { instance } from '../site.ts';
import type { Site } from '../site.ts';
import { createTenant, isReady, tenantsPath, until } from '../tenants.ts';

export type ProbeKind = 'mock' | 'docker';

/** Tenants that nobody disturbs, whose changes are timed. */
export interface Probes {
  /** From the request that changes one until it is done, in milliseconds, one change after the other. */
  changes(kind: ProbeKind, count: number): Promise<number[]>;
  close(): void;
}

/** As many as let each rest from its last change until its next. */
const probeCount = 10;
const limitMs = 120_000;

export async function createProbes(site: Site): Promise<Probes> {
  const record = await recordEvents(site.docker, `landlord.owner=${instance}`);
  const names = (probe: ProbeKind) =>
    Array.from({ length: probeCount }, (_, index) => `probe-${probe}-${index}`);
  for (const probe of ['mock', 'docker'] as const)
    for (const name of names(probe)) await createTenant(site, name, specOf(probe, 0));
  await until('the probes are Ready', () =>
    [...names('mock'), ...names('docker')].every((name) => isReady(site.fleet.get(name))),
  );
  let revision = 0;
  return {
    changes: async (probe, count) => {
      const times: number[] = [];
      for (let index = 0; index < count; index += 1) {
        revision += 1;
        const name = `probe-${probe}-${revision % probeCount}`;
        await until(`${name} is Ready`, () => isReady(site.fleet.get(name)));
        times.push(await timed[probe]({ site, record, name, revision }));
      }
      return times;
    },
    close: () => record.stop(),
  };
}

function specOf(probe: ProbeKind, revision: number): Record<string, unknown> {
  const block = probe === 'mock' ? { revision } : { env: { REVISION: `${revision}` } };
  return { computeProvider: probe, computeConfig: { [probe]: block } };
}

interface Probing {
  readonly site: Site;
  readonly record: EventRecord;
  readonly name: string;
  readonly revision: number;
}

const timed: Readonly<Record<ProbeKind, (probing: Probing) => Promise<number>>> = {
  /** Until the status says so. */
  mock: async ({ site, name, revision }) => {
    const done = Promise.withResolvers<number>();
    const stop = site.fleet.onChange((tenant) => {
      const { computeConfig } = tenant.spec as { computeConfig?: { mock?: { revision?: number } } };
      const seen = computeConfig?.mock?.revision;
      if (tenant.metadata.name === name && seen === revision && isReady(tenant))
        done.resolve(performance.now());
    });
    const begun = performance.now();
    await site.request('PATCH', `${tenantsPath}/${name}`, { spec: specOf('mock', revision) });
    const end = await within(done.promise, name);
    stop();
    return end - begun;
  },
  /** Until its successor is started, by the engine's own word. Ready is 3 s later, whatever happens. */
  docker: async ({ site, record, name, revision }) => {
    const from = record.length();
    const begun = Date.now();
    await site.request('PATCH', `${tenantsPath}/${name}`, { spec: specOf('docker', revision) });
    for (const deadline = begun + limitMs; Date.now() < deadline;) {
      const started = record.since(from).find(({ tenant, action }) => tenant === name && action === 'start');
      if (started !== undefined) return started.atMs - begun;
      await sleep(5);
    }
    throw new Error(`${name} was not replaced within ${limitMs / 1000} s`);
  },
};

async function within(done: Promise<number>, name: string): Promise<number> {
  const late = sleep(limitMs, undefined, { ref: false }).then(() => {
    throw new Error(`${name} is not Ready within ${limitMs / 1000} s`);
  });
  return Promise.race([done, late]);
}
