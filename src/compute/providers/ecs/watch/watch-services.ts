import type { Logger } from 'pino';
import { ComputeError } from '../../../errors.ts';
import type { OnChange } from '../../../provider.ts';
import type { EcsReads } from '../engine/ecs-api.ts';
import { clusterKey, serviceKey } from '../address/service-target.ts';
import { sweepScalingOnce } from './sweep-scaling.ts';
import type { ListenerRoutes } from './listener-routes.ts';
import type { SecretVersions } from './secret-versions.ts';
import type { ServiceView, WatchedService } from './service-view.ts';
import { sleep } from '../../../../async/sleep.ts';

export interface WatchDeps {
  readonly api: EcsReads;
  readonly view: ServiceView;
  readonly logger: Logger;
  readonly sweepIntervalMs: number;
  readonly secrets: Pick<SecretVersions, 'sweep'>;
  readonly routes: Pick<ListenerRoutes, 'sweep'>;
}

/** A cluster that does not answer is known for it well within a minute, in milliseconds. */
const contactEveryMs = 20_000;

/** Twenty calls' worth. */
const looksAtOnce = 200;

/** Sweeps and hints, until `signal` aborts. Never rejects. */
export async function watchServices(deps: WatchDeps, onChange: OnChange, signal: AbortSignal): Promise<void> {
  const endSweeps = deps.view.beginSweeps();
  try {
    await Promise.all([
      sweepServices(deps, onChange, signal),
      keepContact(deps, onChange, signal),
      sweepScaling(deps, onChange, signal),
      sweepSecrets(deps, onChange, signal),
      sweepRoutes(deps, onChange, signal),
      followHints(deps, onChange, signal),
    ]);
  } finally {
    endSweeps();
  }
}

async function sweepServices(deps: WatchDeps, onChange: OnChange, signal: AbortSignal): Promise<void> {
  while (await sleep(jittered(deps.sweepIntervalMs), signal)) {
    await sweepOnce(deps, onChange, signal);
  }
}

async function sweepScaling(deps: WatchDeps, onChange: OnChange, signal: AbortSignal): Promise<void> {
  while (await sleep(jittered(deps.sweepIntervalMs), signal)) {
    const failed = (error: unknown): void =>
      deps.logger.warn(
        { problem: problemOf(error) },
        'a sweep over the autoscaling could not look at all of it',
      );
    await sweepScalingOnce({ ...deps, failed }, onChange, signal);
  }
}

async function sweepSecrets(
  { secrets, logger, sweepIntervalMs }: WatchDeps,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<void> {
  while (await sleep(jittered(sweepIntervalMs), signal)) {
    const failed = (error: unknown): void =>
      logger.warn(
        { problem: problemOf(error) },
        'a sweep over the versions of secrets could not ask for all of them',
      );
    await secrets.sweep({ onChange, failed }, signal);
  }
}

async function sweepRoutes(
  { routes, sweepIntervalMs }: WatchDeps,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<void> {
  while (await sleep(jittered(sweepIntervalMs), signal)) await routes.sweep(onChange, signal);
}

/** Up to a tenth sooner, so that the sweeps of several operators don't meet for ever. */
function jittered(ms: number): number {
  return ms * (1 - Math.random() / 10);
}

/** Looks at every service once; the client makes calls of ten of them. */
export async function sweepOnce(
  { api, view, logger }: Pick<WatchDeps, 'api' | 'view' | 'logger'>,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<void> {
  const look = async ({ target, tenantId }: WatchedService): Promise<void> => {
    try {
      const isNews = await lookAt({ api, view }, { target, tenantId }, signal);
      if (isNews) onChange(tenantId);
    } catch (error) {
      // Nothing else would tell those who are well that nobody knows how they are any more.
      if (!signal.aborted && view.contact.lose(target)) onChange(tenantId, 'contact');
      throw error;
    }
  };
  // By cluster, for ten of one make one call; not all at once, or the last of thousands would wait too long.
  const watched = view.watched().toSorted((a, b) => (serviceKey(a.target) < serviceKey(b.target) ? -1 : 1));
  const results: PromiseSettledResult<void>[] = [];
  for (let from = 0; from < watched.length && !signal.aborted; from += looksAtOnce) {
    results.push(...(await Promise.allSettled(watched.slice(from, from + looksAtOnce).map(look))));
  }
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined || signal.aborted) return;
  logger.warn(
    { problem: problemOf(failed.reason) },
    'a sweep over the ECS services could not look at all of them',
  );
}

function problemOf(error: unknown): string {
  return error instanceof ComputeError ? error.message : String(error);
}

/** Whether it differs from what was known, or was out of sight until now. */
async function lookAt(
  { api, view }: Pick<WatchDeps, 'api' | 'view'>,
  { target, tenantId }: WatchedService,
  signal: AbortSignal,
): Promise<boolean> {
  const moment = view.moment();
  const answer = await api.describeService(target, 'sweep', signal);
  const service = answer === 'cluster-gone' ? undefined : answer;
  return view.sweep({ target, tenantId, service }, moment);
}

/**
 * One look for each cluster that was silent for a while, so that its silence does not go unnoticed until the next
 * sweep. Each time it is another service's turn.
 */
async function keepContact(deps: WatchDeps, onChange: OnChange, signal: AbortSignal): Promise<void> {
  const everyMs = Math.min(contactEveryMs, deps.sweepIntervalMs);
  for (let turn = 0; await sleep(jittered(everyMs), signal); turn += 1) {
    const clusters = Map.groupBy(deps.view.watched(), ({ target }) => clusterKey(target));
    const silent = [...clusters.values()].filter(
      ([first]) => first !== undefined && deps.view.contact.silentForMs(first.target) >= everyMs / 2,
    );
    await Promise.all(silent.map((watched) => askCluster(deps, { watched, turn, onChange }, signal)));
  }
}

interface Asked {
  /** Of one cluster. */
  readonly watched: readonly WatchedService[];
  readonly turn: number;
  readonly onChange: OnChange;
}

/** Asks of two, which make one call: one that may not be read says nothing of the others. */
async function askCluster(
  { api, view, logger }: WatchDeps,
  { watched, turn, onChange }: Asked,
  signal: AbortSignal,
): Promise<void> {
  const first = turn % watched.length;
  const asked = [...watched.slice(first), ...watched.slice(0, first)].slice(0, 2);
  const unanswered: WatchedService[] = [];
  const problems: unknown[] = [];
  const ask = async (one: WatchedService): Promise<void> => {
    try {
      if (await lookAt({ api, view }, one, signal)) onChange(one.tenantId);
    } catch (error) {
      unanswered.push(one);
      problems.push(error);
    }
  };
  await Promise.all(asked.map(ask));
  if (signal.aborted) return;
  const isSilent = unanswered.length === asked.length;
  const lost = (isSilent ? watched : unanswered).filter(({ target }) => view.contact.lose(target));
  const back = watched.filter(
    (one) => !isSilent && !unanswered.includes(one) && view.contact.regain(one.target),
  );
  for (const { tenantId } of [...lost, ...back]) onChange(tenantId, 'contact');
  if (lost.length > 0) logger.warn({ problem: problemOf(problems[0]) }, 'ECS is out of reach');
}

async function followHints(
  { api, view, logger }: WatchDeps,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const { cluster, service } of api.serviceHints(signal)) {
      const known = view.find(cluster, service);
      if (known === undefined) continue;
      view.touch(known.target);
      onChange(known.tenantId);
    }
  } catch (error) {
    if (!signal.aborted) logger.warn({ error }, 'the ECS events ended; the sweeps go on');
  }
}
