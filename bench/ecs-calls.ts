import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { withProgress } from '../dev/progress.ts';
import { startEcsModel } from './ecs-model.ts';
import { setUpSite } from './site.ts';
import type { Site } from './site.ts';
import { createTenant, inTurns, isReady, tenantsPath, until } from './tenants.ts';

const sweep = { text: '15s', ms: 15_000 } as const;
const limitMs = 3_600_000;

/**
 * Creates, changes and deletes so many Tenants on a model of ECS with AWS' limits and latency, and prints the calls of each,
 * of a sweep and of a restart, and the memory of the operator. ECS' limits decide how long it takes.
 */
export async function benchEcs(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: { tenants: { type: 'string', default: '200' } } });
  const count = Number(values.tenants);
  const model = await startEcsModel();
  try {
    const site = await withProgress('starting the parts', () => setUpSite(model));
    try {
      await withProgress(`${count} tenants on ECS`, (note) => measure(site, count, note));
      return true;
    } finally {
      await withProgress('stopping everything', site.close);
    }
  } finally {
    await model.stop();
  }
}

async function measure(site: Site, count: number, note: (detail: string) => void): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `bench-${index}`);
  const controller = { resync_interval: sweep.text };
  const allReady = () => names.every((name) => isReady(site.fleet.get(name)));
  const phase = async (what: string, change: () => Promise<unknown>, ended: () => boolean): Promise<void> => {
    note(what);
    site.ecs.calls.splice(0);
    const begun = performance.now();
    await change();
    await until(`${what} has come to an end`, ended, limitMs);
    const seconds = (performance.now() - begun) / 1_000;
    const calls = site.ecs.calls.splice(0);
    console.log(
      `${what} ${count}: ${seconds.toFixed(1)} s, ${(calls.length / count).toFixed(1)} calls each: ${tally(calls)}`,
    );
  };
  await site.startOperator(controller);
  const change = (name: string, desired: number) =>
    site.request('PATCH', `${tenantsPath}/${name}`, { spec: specOf(desired) });
  await phase('create', () => inTurns(names, (name) => createTenant(site, name, specOf(1))), allReady);
  await phase('change', () => inTurns(names, (name) => change(name, 2)), allReady);
  note('sweeps');
  await sleep(2 * sweep.ms);
  site.ecs.calls.splice(0);
  await sleep(2 * sweep.ms);
  console.log(`2 sweeps: ${tally(site.ecs.calls.splice(0))}`);
  console.log(`memory: ${await memoryMb(site)} MB`);
  note('restart');
  await site.startOperator(controller);
  const begun = performance.now();
  await change('bench-0', 1);
  await until('the edit has reached ECS', () =>
    site.ecs.calls.some(({ operation }) => operation === 'UpdateService'),
  );
  const seconds = (performance.now() - begun) / 1_000;
  await sleep(sweep.ms);
  console.log(
    `restart: an edit reaches ECS after ${seconds.toFixed(1)} s; ${tally(site.ecs.calls.splice(0))}`,
  );
  console.log(`memory after it: ${await memoryMb(site)} MB`);
  await until('the edited one is Ready', allReady, limitMs);
  const gone = () => site.fleet.tenants().length === 0;
  await phase(
    'delete',
    () => inTurns(names, (name) => site.request('DELETE', `${tenantsPath}/${name}`)),
    gone,
  );
}

function specOf(desired: number): Record<string, unknown> {
  return { computeProvider: 'ecs', computeConfig: { ecs: { desired_count: desired } } };
}

async function memoryMb(site: Site): Promise<string> {
  const status = await readFile(`/proc/${site.operatorPid()}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024).toFixed(0);
}

function tally(calls: readonly { readonly operation: string; readonly status?: number }[]): string {
  const counts = Map.groupBy(calls, ({ operation, status }) =>
    status === 200 || status === undefined ? operation : `${operation} (refused)`,
  );
  return [...counts].map(([call, { length }]) => `${length} ${call}`).join(', ');
}
