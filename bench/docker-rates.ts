import { setTimeout as sleep } from 'node:timers/promises';
import { withProgress } from '../dev/progress.ts';
import { bareLoop } from './bare-loop.ts';
import { recordEvents } from './engine-record.ts';
import type { EventRecord } from './engine-record.ts';
import { instance, setUpSite } from './site.ts';
import type { Site } from './site.ts';
import { createTenant, inTurns, isReady, tenantsPath, until } from './tenants.ts';

/** As many creates and starts as the operator has under way on an engine. */
const bareAtOnce = 8;
const rateAtLeast = 0.9;
const sweep = { text: '15s', ms: 15_000 } as const;
const watchedSweeps = 3;
const limitMs = 1_800_000;

/**
 * Creates, replaces and deletes so many containers, first by a bare loop and then by the operator, on one engine; prints
 * the rates of both, what the operator asks of the engine for each, in a sweep and at a restart. Resolves with whether it is quick enough.
 */
export async function benchRates(count: number): Promise<boolean> {
  const site = await withProgress('starting the parts', () => setUpSite());
  try {
    const record = await recordEvents(site.docker, `landlord.owner=${instance}`);
    try {
      const bare = await withProgress('the bare loop', (note) => timeBare(site, count, note));
      const ours = await withProgress('the operator', (note) => timeOperator({ site, record, count }, note));
      return report(count, bare, ours);
    } finally {
      record.stop();
    }
  } finally {
    await withProgress('stopping everything', site.close);
  }
}

interface Seconds {
  readonly create: number;
  readonly replace: number;
  readonly remove: number;
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

interface Operated extends Seconds {
  /** Calls to the engine for one container. */
  readonly calls: Seconds;
  readonly sweepCalls: readonly string[];
  readonly restartCalls: readonly string[];
  /** From the start of the operator to the start of the container that an edit made meanwhile wants. */
  readonly firstEdit: number;
}

interface Bench {
  readonly site: Site;
  readonly record: EventRecord;
  readonly count: number;
}

async function timeOperator(bench: Bench, note: Note): Promise<Operated> {
  const { site, count } = bench;
  const names = Array.from({ length: count }, (_, index) => `bench-${index}`);
  const controller = { resync_interval: sweep.text };
  await site.startOperator(controller);
  const patch = (name: string, revision: number) =>
    site.request('PATCH', `${tenantsPath}/${name}`, { spec: specOf(revision) });
  const allReady = () => names.every((name) => isReady(site.fleet.get(name)));

  note('create');
  const create = await counted(
    bench,
    () => startedBy(bench, () => inTurns(names, (name) => createTenant(site, name, specOf(0)))),
    allReady,
  );
  note('replace');
  const replace = await counted(
    bench,
    () => startedBy(bench, () => inTurns(names, (name) => patch(name, 1))),
    allReady,
  );
  note('sweeps');
  // What was changed is looked at once more when it has settled.
  await sleep(2 * sweep.ms);
  site.engineProxy.calls.splice(0);
  await sleep(watchedSweeps * sweep.ms);
  const sweepCalls = site.engineProxy.calls.splice(0);
  note('restart');
  const restart = await timeRestart(bench, () => patch('bench-0', 2), controller);
  await until('the edited one is Ready', allReady, limitMs);
  note('delete');
  const remove = await counted(bench, () =>
    seconds(async () => {
      await inTurns(names, (name) => site.request('DELETE', `${tenantsPath}/${name}`));
      await until('all are gone', () => site.fleet.tenants().length === 0, limitMs);
    }),
  );
  return {
    create: create.seconds,
    replace: replace.seconds,
    remove: remove.seconds,
    calls: { create: create.calls, replace: replace.calls, remove: remove.calls },
    sweepCalls,
    ...restart,
  };
}

function specOf(revision: number): Record<string, unknown> {
  return { computeProvider: 'docker', computeConfig: { docker: { env: { REVISION: `${revision}` } } } };
}

/** Seconds until a container of each has started, by the engine's own word. */
async function startedBy({ record, count }: Bench, change: () => Promise<unknown>): Promise<number> {
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

/** The calls of all that follows count too, until it has come to an end. */
async function counted(
  { site, count }: Bench,
  timed: () => Promise<number>,
  ended: () => boolean = () => true,
): Promise<{ readonly seconds: number; readonly calls: number }> {
  site.engineProxy.calls.splice(0);
  const took = await timed();
  await until('all has come to an end', ended, limitMs);
  return { seconds: took, calls: site.engineProxy.calls.splice(0).length / count };
}

async function timeRestart(
  { site, record }: Bench,
  edit: () => Promise<unknown>,
  controller: Readonly<Record<string, unknown>>,
): Promise<Pick<Operated, 'firstEdit' | 'restartCalls'>> {
  const from = record.length();
  const firstEdit = await seconds(async () => {
    await Promise.all([site.startOperator(controller), edit()]);
    await until('the edit is applied', () =>
      record.since(from).some(({ tenant, action }) => tenant === 'bench-0' && action === 'start'),
    );
  });
  return { firstEdit, restartCalls: site.engineProxy.calls.splice(0) };
}

function report(count: number, bare: Seconds, ours: Operated): boolean {
  const rows = (['create', 'replace', 'remove'] as const).map((what) => {
    const rate = bare[what] / ours[what];
    // Until a Tenant is gone, more than its container has to be.
    const isMet = what === 'remove' || rate >= rateAtLeast;
    console.log(
      `${isMet ? 'met   ' : 'MISSED'}  ${what} ${count}: ${ours[what].toFixed(1)} s, bare loop ${bare[what].toFixed(1)} s: ` +
        `${rate.toFixed(2)} of its rate${what === 'remove' ? '' : ` (at least ${rateAtLeast})`}, ` +
        `${ours.calls[what].toFixed(1)} calls each`,
    );
    return isMet;
  });
  console.log(`${watchedSweeps} sweeps: ${tally(ours.sweepCalls)}`);
  console.log(
    `restart: an edit is applied ${ours.firstEdit.toFixed(1)} s after the start; ${tally(ours.restartCalls)}`,
  );
  return rows.every(Boolean);
}

function tally(calls: readonly string[]): string {
  const counts = Map.groupBy(calls, (call) => call);
  return [...counts].map(([call, { length }]) => `${length} ${call}`).join(', ');
}
