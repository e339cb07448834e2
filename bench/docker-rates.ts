import { setTimeout as sleep } from 'node:timers/promises';
import { withProgress } from '../dev/progress.ts';
import { bareLoop } from './bare-loop.ts';
import { rateVerdicts } from './docker-verdicts.ts';
import type { Cost, Operated, Seconds } from './docker-verdicts.ts';
import type { RecordedSite } from './engine-record.ts';
import type { Site } from './site.ts';
import { createTenant, inTurns, isReady, tenantsPath, until, untilStill } from './tenants.ts';
import { cpuSeconds } from './usage.ts';
import { tell } from './verdict.ts';

/** As many creates and starts as the operator has under way on an engine. */
const bareAtOnce = 8;
const sweep = { text: '15s', ms: 15_000 } as const;
const watchedSweeps = 3;
/** What is not of the sweeps is measured without them. */
const seldom = { resync_interval: '2h' } as const;
const limitMs = 1_800_000;

/**
 * Creates, replaces and deletes so many containers, first by a bare loop and then by the operator, on one engine; prints
 * the rates of both, what the operator asks of the engine for each, in a sweep and at a restart, and whether it is quick enough.
 */
export async function benchRates(
  bench: RecordedSite,
  count: number,
): Promise<{ readonly ours: Operated; readonly isMet: boolean }> {
  const bare = await withProgress('the bare loop', (note) => timeBare(bench.site, count, note));
  const ours = await withProgress('the operator', (note) => timeOperator({ ...bench, count }, note));
  const isMet = tell(rateVerdicts(bare, ours));
  console.log(`${watchedSweeps} sweeps: ${tally(ours.sweepCalls)}`);
  console.log(`restart: ${tally(ours.restartCalls)}`);
  return { ours, isMet };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1_000;
}

async function timeBare({ docker, image }: Site, count: number, note: Note): Promise<Seconds> {
  // Both find the image there.
  const progress = await docker.pull(image);
  await new Promise<unknown>((done) => docker.modem.followProgress(progress, done));
  const loop = bareLoop({ docker, image, count, atOnce: bareAtOnce });
  note('create');
  const create = await seconds(() => loop.create());
  note('replace');
  const replace = await seconds(() => loop.replace());
  note('remove');
  return { create, replace, remove: await seconds(() => loop.remove()) };
}

type Note = (detail: string) => void;

interface Counting extends RecordedSite {
  readonly count: number;
}

async function timeOperator(bench: Counting, note: Note): Promise<Operated> {
  const { site, count } = bench;
  const names = Array.from({ length: count }, (_, index) => `bench-${index}`);
  await site.startOperator(seldom);
  const patch = (name: string, revision: number) =>
    site.request('PATCH', `${tenantsPath}/${name}`, { spec: specOf(revision) });
  const allReady = () => names.every((name) => isReady(site.fleet.get(name)));
  const started = (change: (name: string) => Promise<unknown>) =>
    counted(bench, () => startedBy(bench, () => inTurns(names, change)), allReady);

  note('create');
  const create = await started((name) => createTenant(site, name, specOf(0)));
  note('replace');
  const replace = await started((name) => patch(name, 1));
  note('restart');
  const restart = await timeRestart(bench, () => patch('bench-0', 2));
  await until('the edited one is Ready', allReady, limitMs);
  note('sweeps');
  const sweepCalls = await watchSweeps(site);
  note('delete');
  await site.startOperator(seldom);
  await untilStill(site.engineProxy.calls, 3_000);
  const remove = await counted(bench, () =>
    seconds(async () => {
      await inTurns(names, (name) => site.request('DELETE', `${tenantsPath}/${name}`));
      await until('all are gone', () => site.fleet.tenants().length === 0, limitMs);
    }),
  );
  return {
    count,
    seconds: { create: create.seconds, replace: replace.seconds, remove: remove.seconds },
    costs: { create: create.cost, replace: replace.cost, remove: remove.cost },
    sweepCalls,
    ...restart,
  };
}

function specOf(revision: number): Record<string, unknown> {
  return { computeProvider: 'docker', computeConfig: { docker: { env: { REVISION: `${revision}` } } } };
}

/** Seconds until a container of each has started, by the engine's own word. */
async function startedBy({ record, count }: Counting, change: () => Promise<unknown>): Promise<number> {
  const from = record.length();
  return seconds(async () => {
    await change();
    const started = () => record.since(from).filter(({ action }) => action === 'start');
    await until(
      'a container of each has started',
      () => new Set(started().map(({ tenant }) => tenant)).size >= count,
      limitMs,
    );
  });
}

/** The calls and the CPU of all that follows count too, until it has come to an end. */
async function counted(
  { site, count }: Counting,
  timed: () => Promise<number>,
  ended: () => boolean = () => true,
): Promise<{ readonly seconds: number; readonly cost: Cost }> {
  site.engineProxy.calls.splice(0);
  const before = await cpuSeconds(site.operatorPid());
  const took = await timed();
  await until('all has come to an end', ended, limitMs);
  const cpuMs = (1_000 * ((await cpuSeconds(site.operatorPid())) - before)) / count;
  return { seconds: took, cost: { calls: site.engineProxy.calls.splice(0).length / count, cpuMs } };
}

async function timeRestart(
  { site, record }: Counting,
  edit: () => Promise<unknown>,
): Promise<Pick<Operated, 'firstEdit' | 'restartCalls'>> {
  const from = record.length();
  site.engineProxy.calls.splice(0);
  const firstEdit = await seconds(async () => {
    await Promise.all([site.startOperator(seldom), edit()]);
    await until('the edit is applied', () =>
      record.since(from).some(({ tenant, action }) => tenant === 'bench-0' && action === 'start'),
    );
  });
  await untilStill(site.engineProxy.calls, 3_000);
  return { firstEdit, restartCalls: site.engineProxy.calls.splice(0) };
}

async function watchSweeps(site: Site): Promise<readonly string[]> {
  const { calls } = site.engineProxy;
  await site.startOperator({ resync_interval: sweep.text });
  // What is new to it is looked at once more.
  await sleep(2 * sweep.ms);
  calls.splice(0);
  await sleep(watchedSweeps * sweep.ms);
  return calls.splice(0);
}

function tally(calls: readonly string[]): string {
  const counts = Map.groupBy(calls, (call) => call);
  return [...counts].map(([call, { length }]) => `${length} ${call}`).join(', ');
}
