import type { Logger } from 'pino';
import { ComputeError } from '../../../errors.ts';
import type { OnChange } from '../../../provider.ts';
import type { EcsReads } from '../engine/ecs-api.ts';
import { serviceKey } from '../address/service-target.ts';
import type { ServiceView, WatchedService } from './service-view.ts';
import { sleep } from '../../../../async/sleep.ts';

export interface WatchDeps {
  readonly api: EcsReads;
  readonly view: ServiceView;
  readonly logger: Logger;
  readonly sweepIntervalMs: number;
}

/** Twenty calls' worth. */
const looksAtOnce = 200;

/** Sweeps and hints, until `signal` aborts. Never rejects. */
export async function watchServices(deps: WatchDeps, onChange: OnChange, signal: AbortSignal): Promise<void> {
  const endSweeps = deps.view.beginSweeps();
  try {
    await Promise.all([sweepServices(deps, onChange, signal), followHints(deps, onChange, signal)]);
  } finally {
    endSweeps();
  }
}

async function sweepServices(deps: WatchDeps, onChange: OnChange, signal: AbortSignal): Promise<void> {
  while (await sleep(jittered(deps.sweepIntervalMs), signal)) {
    await sweepOnce(deps, onChange, signal);
  }
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
    const moment = view.moment();
    const answer = await api.describeService(target, 'sweep', signal);
    const service = answer === 'cluster-gone' ? undefined : answer;
    if (view.sweep({ target, tenantId, service }, moment)) onChange(tenantId);
  };
  // By cluster, for ten of one make one call; not all at once, or the last of thousands would wait too long.
  const watched = view.watched().toSorted((a, b) => (serviceKey(a.target) < serviceKey(b.target) ? -1 : 1));
  const results: PromiseSettledResult<void>[] = [];
  for (let from = 0; from < watched.length && !signal.aborted; from += looksAtOnce) {
    results.push(...(await Promise.allSettled(watched.slice(from, from + looksAtOnce).map(look))));
  }
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined || signal.aborted) return;
  const reason: unknown = failed.reason;
  const problem = reason instanceof ComputeError ? reason.message : String(reason);
  logger.warn({ problem }, 'a sweep over the ECS services could not look at all of them');
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
