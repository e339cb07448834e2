import type Dockerode from 'dockerode';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { withProgress } from '../dev/progress.ts';
import { setUpFleet } from './docker-fleet.ts';
import type { DockerFleet } from './docker-fleet.ts';
import { recordEvents } from './engine-record.ts';
import type { EventRecord } from './engine-record.ts';
import { median } from './median.ts';

const tenantCount = 50;
const repairCount = 20;
/** The operator's own bounds: milliseconds. */
const medianBelowMs = 1000;
const allBelowMs = 3000;
const repairTimeoutMs = 60_000;

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
 * Breaks 20 containers of 50 tenants in turn and prints how long the engine's own events say that each was down: from
 * the first event that ended its service to the next that began it. Resolves with whether the targets are met.
 */
export async function benchRepairs(): Promise<boolean> {
  const instance = `bench-${randomBytes(3).toString('hex')}`;
  const fleet = await setUpFleet(instance, tenantCount);
  try {
    const record = await recordEvents(fleet.docker, `landlord.owner=${instance}`);
    try {
      const downMs = await withProgress(`breaking ${repairCount} containers`, (note) =>
        breakInTurn(fleet, record, note),
      );
      return report(downMs);
    } finally {
      record.stop();
    }
  } finally {
    await fleet.remove();
  }
}

interface Repair {
  readonly how: string;
  readonly downMs: number;
}

async function breakInTurn(
  fleet: DockerFleet,
  record: EventRecord,
  note: (detail: string) => void,
): Promise<Repair[]> {
  const repairs: Repair[] = [];
  const ways = Object.entries(breaks);
  for (let index = 0; index < repairCount; index += 1) {
    const [how, damage] = ways[index % ways.length] as (typeof ways)[number];
    // A tenant of its own for each, all over the fleet: the second repair of one soon after the first is held back.
    const tenant = fleet.tenants[Math.floor((index * tenantCount) / repairCount)] as string;
    note(`${index + 1} of ${repairCount}: ${how}`);
    const from = record.length();
    await damage(fleet.docker.getContainer(await fleet.containerOf(tenant)));
    repairs.push({ how, downMs: await downtimeMs(record, tenant, from) });
    await sleep(200);
  }
  return repairs;
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

function report(repairs: readonly Repair[]): boolean {
  for (const how of Object.keys(breaks)) {
    const times = repairs.filter((repair) => repair.how === how).map(({ downMs }) => downMs);
    console.log(`${how.padEnd(6)} ${times.map((ms) => `${Math.round(ms)} ms`).join(', ')}`);
  }
  const times = repairs.map(({ downMs }) => downMs);
  const middle = median(times);
  const worst = Math.max(...times);
  const isMet = middle < medianBelowMs && worst < allBelowMs;
  console.log(
    `${isMet ? 'met   ' : 'MISSED'}  ${times.length} repairs with ${tenantCount} tenants: median ${Math.round(middle)} ms ` +
      `(below ${medianBelowMs}), worst ${Math.round(worst)} ms (below ${allBelowMs})`,
  );
  return isMet;
}
