import { setTimeout as sleep } from 'node:timers/promises';
import { kubeRequest } from '../../dev/kube-request.ts';
import type { Random } from '../simulation/random.ts';
import { createRandom } from '../simulation/random.ts';
import { faultsOf } from './faults.ts';
import type { Fault, Undo } from './faults.ts';
import { lanes, planFaults } from './plan.ts';
import type { Planned } from './plan.ts';
import { namespace } from './scene.ts';
import type { Scene } from './scene.ts';
import { TransitionLog, untoldOf } from './transitions.ts';
import type { ToldEvent } from './transitions.ts';
import { truthOf } from './truth.ts';
import { metricIn, usageOf } from './usage.ts';
import type { Usage } from './usage.ts';
import { usersOf } from './users.ts';
import type { Users } from './users.ts';
import { grown, restarted, unlike, unready } from './verdict.ts';
import { sharesOf, Workload } from './workload.ts';

export interface ChaosOptions {
  readonly random: Random;
  readonly tenants: number;
  readonly durationMs: number;
  /** So long after the faults all may take to be whole. */
  readonly settleMs: number;
  readonly log: (text: string) => void;
  readonly signal: AbortSignal;
}

interface Play extends ChaosOptions {
  readonly scene: Scene;
  readonly workload: Workload;
  readonly users: Users;
  readonly transitions: TransitionLog;
  /** What was found broken so far. */
  readonly broken: string[];
}

const handleLimitMs = 60_000;
const lookMs = 1_000;
const tellWrongMs = 30_000;
/** Some wait for an answer while others go on. */
const userCount = 4;
const changePauseMs = [300, 2_500] as const;
const restMs = 15_000;
/** Shorter ones may have been seen in another order than they were said. */
const lastingMs = 10_000;
/** What waits to be sent is sent again for so long. */
const tellMs = 60_000;

/** Resolves with what was promised and is not so, a line each. Rejects where the parts themselves fail, or at `signal`. */
export async function playChaos(scene: Scene, options: ChaosOptions): Promise<readonly string[]> {
  const random = createRandom(options.random.int(0, 2 ** 30));
  const workload = new Workload(random, sharesOf(options.tenants));
  const { kubeconfigPath } = scene.plane;
  const users = usersOf({ kubeconfigPath, namespace, workload, imageOf: scene.imageOf });
  const transitions = new TransitionLog();
  const play: Play = { ...options, scene, workload, users, transitions, broken: [] };
  const stopNoting = scene.fleet.onChange((tenant, deleted) => {
    if (!deleted) transitions.note(tenant, Date.now());
  });
  try {
    await playThrough(play);
  } finally {
    stopNoting();
  }
  return play.broken;
}

async function playThrough(play: Play): Promise<void> {
  const { scene, workload, log } = play;
  workload.populate();
  await sendAll(play);
  if (!(await becomesWhole(play, 'the fleet is up'))) return;
  await sleep(restMs, undefined, { signal: play.signal });
  const base = await usageOf(scene.operator.pid());
  log(`at its base the operator holds ${described(base)}`);

  await unrest(play);

  workload.resumeAll();
  await sendAll(play);
  if (!(await becomesWhole(play, 'all is whole again'))) return;
  await staysAsItIs(play);
  await handlesClose(play, base, 'with its fleet');
  await eventsTell(play);

  for (const { name } of workload.wanted()) workload.remove(name);
  await sendAll(play);
  if (!(await becomesWhole(play, 'all are gone, and nothing of them is left'))) return;
  await handlesClose(play, base, 'with no tenant');
}

function described({ memoryMb, handles }: Usage): string {
  return `${memoryMb.toFixed(0)} MB and ${handles} files and sockets`;
}

/** Faults and changes, until the time is over; then every fault is undone. */
async function unrest(play: Play): Promise<void> {
  const faults = faultsOf(play.scene);
  const plan = planFaults(play.random, faults, play.durationMs);
  const beganAt = Date.now();
  const playing = lanes.map((lane) =>
    playLane(
      play,
      plan.filter((planned) => planned.lane === lane),
      beganAt,
    ),
  );
  const counts = new Map<string, number>();
  const changing = Array.from({ length: userCount }, () =>
    changeThings(play, beganAt + play.durationMs, counts),
  );
  const results = await Promise.allSettled([...playing, ...changing]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  play.log(`changes: ${listed(counts)}`);
}

async function playLane(play: Play, plan: readonly Planned<Fault>[], beganAt: number): Promise<void> {
  const { random, log, signal } = play;
  for (const { kind, atMs, forMs } of plan) {
    await sleep(Math.max(0, beganAt + atMs - Date.now()), undefined, { signal });
    // What a part still recovers from is no fault of this one.
    const begun = await kind.begin(random).catch((error: unknown) => String(error));
    if (begun === undefined || typeof begun === 'string') {
      log(`${kind.name}: not now (${begun ?? 'nothing runs'})`);
      continue;
    }
    log(
      `${kind.name}${begun.target === undefined ? '' : ` (${begun.target})`} for ${(forMs / 1000).toFixed(1)} s`,
    );
    await lastsFor(begun, forMs, signal);
  }
}

async function lastsFor(begun: Undo, forMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(forMs, undefined, { signal });
  } finally {
    await begun.undo();
  }
}

async function changeThings(
  { workload, users, random, signal }: Play,
  until: number,
  counts: Map<string, number>,
): Promise<void> {
  while (Date.now() < until) {
    const { what, tenant } = workload.next();
    counts.set(what, (counts.get(what) ?? 0) + 1);
    await users.send(tenant.name);
    await users.resend();
    await sleep(random.int(...changePauseMs), undefined, { signal });
  }
}

/**
 * What is wanted, once more, and everything else away: a request that nobody waited for any more may have been carried out
 * late, after another one.
 */
async function sendAll({ users, workload, scene, signal }: Play): Promise<void> {
  const names = new Set(workload.wanted().map(({ name }) => name));
  for (const { metadata } of scene.fleet.tenants()) names.add(metadata.name);
  for (const name of names) await users.send(name);
  while (users.unsent() > 0) {
    await users.resend();
    await sleep(20, undefined, { signal });
  }
}

/** Waits until statuses and engines show what is wanted and nothing else. False where that is not so in time. */
async function becomesWhole(play: Play, what: string): Promise<boolean> {
  const { scene, workload, broken, log, settleMs, signal } = play;
  const beganAt = Date.now();
  for (let toldMs = 0; ;) {
    const wrong = await wrongNow(play);
    const tookMs = Date.now() - beganAt;
    if (tookMs - toldMs > tellWrongMs) {
      toldMs = tookMs;
      log(`not yet: ${wrong.length} lines, such as ${wrong[0]}`);
    }
    if (wrong.length === 0) {
      log(`${what}: ${workload.wanted().length} tenants, after ${(tookMs / 1000).toFixed(1)} s`);
      return true;
    }
    if (tookMs > settleMs) {
      broken.push(...wrong.map((line) => `${line} (${settleMs / 1000} s after all parts were there)`));
      return false;
    }
    await sleep(lookMs, undefined, { signal });
    // Whoever was not there when the faults ended was sent late.
    for (const { metadata } of scene.fleet.tenants())
      if (workload.get(metadata.name) === undefined && metadata.deletionTimestamp === undefined)
        await play.users.send(metadata.name);
  }
}

/** The engines are asked once the statuses say that all is well. */
async function wrongNow({ scene, workload }: Play): Promise<readonly string[]> {
  const wrong = unready(workload.wanted(), scene.fleet.tenants());
  if (wrong.length > 0) return wrong;
  const { docker, ownerLabel, fixture, imageOf } = scene;
  return unlike(workload.wanted(), await truthOf(docker, ownerLabel, fixture), imageOf);
}

/** What is whole is left alone. */
async function staysAsItIs({ scene, broken, signal }: Play): Promise<void> {
  const { docker, ownerLabel, fixture } = scene;
  const before = await truthOf(docker, ownerLabel, fixture);
  await sleep(restMs, undefined, { signal });
  broken.push(...restarted(before, await truthOf(docker, ownerLabel, fixture)));
}

/** Connections that idle are closed after a while. */
async function handlesClose({ scene, broken, log, signal }: Play, base: Usage, when: string): Promise<void> {
  const deadline = Date.now() + handleLimitMs;
  for (;;) {
    const now = await usageOf(scene.operator.pid());
    const more = grown(base, now);
    if (more.length === 0 || Date.now() > deadline) {
      log(`${when} the operator holds ${described(now)}`);
      broken.push(...more.map((line) => `${line}, ${when}`));
      return;
    }
    await sleep(lookMs, undefined, { signal });
  }
}

/** Of what lasted since the operator that runs was started. What it could not send it has counted. */
async function eventsTell({ scene, transitions, broken, log }: Play): Promise<void> {
  const { plane, operator } = scene;
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  const { body } = await kubeRequest(plane.kubeconfigPath, { path });
  const events = (body as { items: StoredEvent[] }).items.map(toldEvent);
  const lasting = transitions.lasting(operator.startedAt(), Date.now() - tellMs, lastingMs);
  const untold = untoldOf(lasting, events);
  const metrics = await (await fetch(operator.metricsUrl)).text();
  const dropped = metricIn(metrics, 'landlord_events_dropped_total');
  log(`${lasting.length} lasting transitions, ${events.length} Events, ${dropped} counted as dropped`);
  log(`Events: ${tally(events)}`);
  if (untold.length <= dropped) return;
  for (const { tenant, reason, at } of untold)
    broken.push(`no Event tells that ${tenant} was ${reason} from ${new Date(at).toISOString()} on`);
}

/** `12 Provisioning, 3 ImageUnavailable` */
function tally(events: readonly ToldEvent[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of events) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return listed(counts);
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${count} ${what}`).join(', ');
}

interface StoredEvent {
  readonly reason: string;
  readonly eventTime: string;
  readonly regarding: { readonly name: string };
  readonly series?: { readonly lastObservedTime: string };
}

function toldEvent({ reason, eventTime, regarding, series }: StoredEvent): ToldEvent {
  return { tenant: regarding.name, reason, lastAt: Date.parse(series?.lastObservedTime ?? eventTime) };
}
