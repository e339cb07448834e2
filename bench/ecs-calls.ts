import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { withProgress } from '../dev/progress.ts';
import type { CountedCall } from '../dev/counting-proxy.ts';
import { startEcsModel } from './ecs-model.ts';
import type { EcsModel } from './ecs-model.ts';
import { lookedAt, sweepVerdicts } from './ecs-verdicts.ts';
import { unlimitedCommand } from './operator-command.ts';
import { setUpSite } from './site.ts';
import type { Site } from './site.ts';
import { createTenant, inTurns, isReady, tenantsPath, until, untilStill } from './tenants.ts';
import { memoryOf } from './usage.ts';
import { atMost, tell } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** What is not of the sweeps is measured without them. */
const seldom = { resync_interval: '2h' } as const;
const sweep = { text: '15s', ms: 15_000 } as const;
const stillMs = 5_000;
const limitMs = 3_600_000;

/** As was seen of 60 Tenants on 2026-11-28: as many, or fewer. */
const callsAtMost = { create: 22.7, change: 24.6, delete: 5.3 } as const;
/** So long after a start somebody makes an edit. */
const editAfterMs = 5_000;
const editAtMostSeconds = 5;

/**
 * Creates, changes and deletes Tenants on a model of ECS with AWS' limits and latency, beside a fleet that was there before;
 * prints the calls of each, of a sweep and of a restart, and the memory of the operator. Resolves with whether all is as it
 * should be. ECS' limits decide how long it takes.
 */
export async function benchEcs(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { tenants: { type: 'string', default: '60' }, fleet: { type: 'string', default: '0' } },
  });
  const [count, fleet] = [Number(values.tenants), Number(values.fleet)];
  const model = await startEcsModel();
  try {
    const site = await withProgress('starting the parts', () => setUpSite(model));
    try {
      await withProgress(`a fleet of ${fleet} on ECS`, () => bringUpFleet(site, model, fleet));
      const verdicts = await withProgress(`${count} tenants on ECS`, (note) =>
        measure({ site, count, fleet }, note),
      );
      return tell(verdicts);
    } finally {
      await withProgress('stopping everything', site.close);
    }
  } finally {
    await model.stop();
  }
}

interface Measuring {
  readonly site: Site;
  readonly count: number;
  readonly fleet: number;
}

const named = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

/** With ports, so that each has endpoints to be looked up. */
async function bringUpFleet(site: Site, model: EcsModel, count: number): Promise<void> {
  if (count === 0) return;
  const names = named('fleet', count);
  const containers = [{ name: 'app', image: 'app:1', ports: [{ name: 'http', containerPort: 8080 }] }];
  model.setWideOpen(true);
  await site.startOperator(seldom, unlimitedCommand);
  await inTurns(names, (name) => createTenant(site, name, { ...specOf(1), containers }));
  await until('the fleet is Ready', () => names.every((name) => isReady(site.fleet.get(name))), limitMs);
  const bare = names.filter((name) => !site.fleet.get(name)?.status?.compute?.endpoints?.length).length;
  if (bare > 0) throw new Error(`${bare} of the fleet have no endpoints`);
  model.setWideOpen(false);
}

async function measure(
  { site, count, fleet }: Measuring,
  note: (detail: string) => void,
): Promise<readonly Verdict[]> {
  const names = named('bench', count);
  const { calls } = site.ecs;
  const phase = async (
    what: keyof typeof callsAtMost,
    change: (name: string) => Promise<unknown>,
    isDone: (name: string) => boolean,
  ): Promise<Verdict> => {
    note(what);
    calls.splice(0);
    const begun = performance.now();
    await inTurns(names, change);
    await until(`${what} has come to an end`, () => names.every(isDone), limitMs);
    const seconds = (performance.now() - begun) / 1_000;
    const made = calls.splice(0);
    console.log(`${what} ${count}: ${seconds.toFixed(1)} s: ${tally(made)}`);
    // What there is without a Tenant is looked for now and then, whatever is made.
    const ofThese = made.filter(({ operation }) => operation !== 'ListServices');
    return atMost(`calls per ${what}`, ofThese.length / count, callsAtMost[what]);
  };
  const patch = (name: string, desired: number) =>
    site.request('PATCH', `${tenantsPath}/${name}`, { spec: specOf(desired) });
  const ready = (name: string) => isReady(site.fleet.get(name));
  await site.startOperator(seldom);
  await untilStill(calls, stillMs);
  const create = await phase('create', (name) => createTenant(site, name, specOf(1)), ready);
  const change = await phase('change', (name) => patch(name, 2), ready);
  note('restart');
  const restart = await watchRestart(site, () => patch('bench-0', 1));
  await until('the edited one is Ready', () => ready('bench-0'), limitMs);
  note('sweeps');
  const sweeps = await watchSweeps(site, count + fleet);
  await site.startOperator(seldom);
  await untilStill(calls, stillMs);
  const remove = await phase(
    'delete',
    (name) => site.request('DELETE', `${tenantsPath}/${name}`),
    (name) => site.fleet.get(name) === undefined,
  );
  return [create, change, remove, restart, ...sweeps];
}

function specOf(desired: number): Record<string, unknown> {
  return { computeProvider: 'ecs', computeConfig: { ecs: { desired_count: desired } } };
}

async function watchRestart(site: Site, edit: () => Promise<unknown>): Promise<Verdict> {
  const { calls } = site.ecs;
  calls.splice(0);
  await site.startOperator(seldom);
  await sleep(editAfterMs);
  const begun = performance.now();
  await edit();
  await until('the edit has reached ECS', () => calls.some(({ operation }) => operation === 'UpdateService'));
  const seconds = (performance.now() - begun) / 1_000;
  await untilStill(calls, stillMs);
  console.log(`restart: ${tally(calls.splice(0))}`);
  await tellMemory(site, 'after a restart');
  return atMost(
    `an edit ${editAfterMs / 1_000} s after a restart reaches ECS, s`,
    seconds,
    editAtMostSeconds,
  );
}

/** Two of them over all services. */
async function watchSweeps(site: Site, services: number): Promise<readonly Verdict[]> {
  const { calls } = site.ecs;
  await site.startOperator({ resync_interval: sweep.text });
  await untilStill(calls, stillMs);
  // What is new to it is looked at once more.
  await sleep(2 * sweep.ms);
  calls.splice(0);
  await until('two sweeps', () => lookedAt(calls) >= 2 * services, limitMs);
  const made = calls.splice(0);
  console.log(`sweeps: ${tally(made)}`);
  await tellMemory(site, 'after sweeps');
  return sweepVerdicts(made, services);
}

async function tellMemory(site: Site, when: string): Promise<void> {
  const { now, peak } = await memoryOf(site.operatorPid());
  console.log(`memory ${when}: ${now} MB, at most ${peak} MB`);
}

function tally(calls: readonly Pick<CountedCall, 'operation' | 'status'>[]): string {
  const counts = Map.groupBy(calls, ({ operation, status }) =>
    status === 200 || status === undefined ? operation : `${operation} (refused)`,
  );
  return [...counts].map(([call, { length }]) => `${length} ${call}`).join(', ');
}
