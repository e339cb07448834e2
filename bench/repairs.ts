import type Dockerode from 'dockerode';
import { setTimeout as sleep } from 'node:timers/promises';
import { withProgress } from '../dev/progress.ts';
import type { EventRecord, RecordedSite } from './engine-record.ts';
import { slowDeletions } from './isolation/disturbances.ts';
import { quantile } from './median.ts';
import { instance } from './site.ts';
import type { Site } from './site.ts';
import { createTenant, inTurns, isReady, tenantsPath, until } from './tenants.ts';
import { atMost, tell } from './verdict.ts';
import type { Verdict } from './verdict.ts';

const aloneCount = 20;
/** As many as can be broken in turn before 300 deletions are over. */
const besideCount = 60;
/** Milliseconds. */
const p50AtMost = 400;
const p95AtMost = 1_000;
const repairTimeoutMs = 120_000;

/** What somebody with a shell does to a container. */
const breaks = {
  kill: (container) => container.kill(),
  stop: (container) => container.stop({ t: 2 }),
  'rm -f': (container) => container.remove({ force: true }),
} as const satisfies Record<string, (container: Dockerode.Container) => Promise<unknown>>;

/** An engine's events that end a container's service, and those that begin it. */
const brokenActions = ['die'];
const repairedActions = ['start'];

/**
 * Breaks containers of 80 tenants in turn, 20 while nothing else happens and the others while so many are deleted, and prints
 * how long the engine's own events say that each was down: from the first event that ended its service to the next that
 * began it. Resolves with whether the targets are met.
 */
export async function benchRepairs(bench: RecordedSite, deletions: number): Promise<boolean> {
  const { site } = bench;
  // A tenant of its own for each: the second repair of one soon after the first is held back.
  const names = Array.from({ length: aloneCount + besideCount }, (_, index) => `repair-${index}`);
  await site.startOperator();
  await withProgress(`bringing up ${names.length} tenants`, async () => {
    await inTurns(names, (name) => createTenant(site, name, { computeProvider: 'docker' }));
    await until('they are Ready', () => names.every((name) => isReady(site.fleet.get(name))));
  });
  const alone = await withProgress('breaking containers', (note) =>
    breakInTurn(bench, names.slice(0, aloneCount), note),
  );
  const beside = await withProgress(`the same while ${deletions} are deleted`, async (note) => {
    const others = slowDeletions(deletions);
    await others.before?.(site);
    await others.begin(site);
    const over = new AbortController();
    const [repairs] = await Promise.all([
      breakInTurn(bench, names.slice(aloneCount), note, over.signal),
      others.end(site).finally(() => over.abort()),
    ]);
    return repairs;
  });
  await inTurns(names, (name) => site.request('DELETE', `${tenantsPath}/${name}`));
  await until('they are gone', () => site.fleet.tenants().length === 0);
  return tell([...verdicts('alone', alone), ...verdicts(`while ${deletions} are deleted`, beside)]);
}

/** One after the other, until all are broken or `signal` aborts. Returns for how long each was down, in milliseconds. */
async function breakInTurn(
  { site, record }: RecordedSite,
  tenants: readonly string[],
  note: (detail: string) => void,
  signal?: AbortSignal,
): Promise<number[]> {
  const containers = await containersOf(site);
  const downMs: number[] = [];
  const ways = Object.entries(breaks);
  for (const [index, tenant] of tenants.entries()) {
    if (signal?.aborted === true) break;
    const [how, damage] = ways[index % ways.length] as (typeof ways)[number];
    note(`${index + 1}: ${how}`);
    const from = record.length();
    await damage(site.docker.getContainer(containers.get(tenant) ?? ''));
    downMs.push(await downtimeMs(record, tenant, from));
    await sleep(200);
  }
  return downMs;
}

/** Their ids, by tenant: to ask for one at a time would be work for the engine meanwhile. */
async function containersOf({ docker }: Site): Promise<ReadonlyMap<string, string>> {
  const found = await docker.listContainers({ filters: { label: [`landlord.owner=${instance}`] } });
  return new Map(found.map(({ Id, Labels }) => [Labels['landlord.tenant_name'] ?? '', Id]));
}

async function downtimeMs(record: EventRecord, tenant: string, from: number): Promise<number> {
  const deadline = Date.now() + repairTimeoutMs;
  while (Date.now() < deadline) {
    const events = record.since(from).filter((event) => event.tenant === tenant);
    const broken = events.findIndex(({ action }) => brokenActions.includes(action));
    const repaired = events.find(({ action }, index) => index > broken && repairedActions.includes(action));
    const start = events[broken];
    if (start !== undefined && repaired !== undefined) return repaired.atMs - start.atMs;
    await sleep(20);
  }
  throw new Error(`${tenant} does not run again after ${repairTimeoutMs / 1000} s`);
}

function verdicts(when: string, downMs: readonly number[]): readonly Verdict[] {
  const title = `${downMs.length} repairs ${when}`;
  const worst = Math.round(Math.max(...downMs));
  return [
    atMost(`${title}, p50 in ms`, quantile(downMs, 0.5), p50AtMost),
    atMost(`${title}, p95 in ms, of which the worst took ${worst}`, quantile(downMs, 0.95), p95AtMost),
  ];
}
