import type { Logger } from 'pino';
import type { Ownership } from '../../../ownership.ts';
import { consentTo } from '../../../permit.ts';
import type { Permit } from '../../../permit.ts';
import { revisionKey } from '../address/arns.ts';
import type { DesiredService } from '../state/desired.ts';
import type { EcsApi } from '../engine/ecs-api.ts';
import { isThere } from '../state/ecs-service.ts';
import { tagKeys, tagMap } from '../state/marks/tags.ts';
import { serviceKey } from '../address/service-target.ts';
import { sleep } from '../../../../async/sleep.ts';
import { deregisterUnused } from './task-revisions.ts';

/** Deregisters what newer revisions have made useless, one by one, with what is left of the account's rate. */
export interface RevisionCleanup {
  /** The family got a revision: others of it may be unused once the rollout is over. */
  add(desired: DesiredService, permit: Permit): void;
  /** Until `signal` aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export interface Useless {
  readonly desired: DesiredService;
  /** Of the step that made the new revision. */
  readonly permit: Permit;
}

/** A sixth of the one deregistration a second that ECS allows an account. */
const defaultPaceMs = 6_000;

/** What is not done when the process ends is done after the tenant's next new revision, or with its deletion. */
export function createRevisionCleanup(
  {
    api,
    ownership,
    logger,
  }: { readonly api: EcsApi; readonly ownership: Ownership; readonly logger: Logger },
  paceMs = defaultPaceMs,
): RevisionCleanup {
  const waiting = new Map<string, Useless>();
  return {
    add(desired, permit) {
      waiting.set(serviceKey(desired.target), { desired, permit });
    },
    async run(signal) {
      while (await sleep(paceMs, signal)) {
        const [next] = waiting;
        if (next === undefined) continue;
        const [key, useless] = next;
        waiting.delete(key);
        try {
          if ((await cleanUpFamily(api, ownership, useless, signal)) && !waiting.has(key))
            waiting.set(key, useless);
        } catch (error) {
          if (!signal.aborted)
            logger.debug({ error }, 'old task definitions could not be deregistered for now');
        }
      }
    },
  };
}

/** Whether there is more to do: the rollout goes on, or more revisions are unused. */
export async function cleanUpFamily(
  api: EcsApi,
  ownership: Ownership,
  { desired: { target, overlay, namespace, name }, permit }: Useless,
  signal: AbortSignal,
): Promise<boolean> {
  const service = await api.describeService(target, 'sweep', signal);
  if (overlay === undefined || service === 'cluster-gone' || !isThere(service)) return false;
  const tenant = { namespace, name };
  const tags = tagMap(service.tags);
  if (!ownership.belongsTo(tenant, tags)) return false;
  const deployments = service.deployments ?? [];
  if (deployments.some(({ rolloutState }) => rolloutState === 'IN_PROGRESS')) return true;
  const inUse = [service.taskDefinition, ...deployments.map(({ taskDefinition }) => taskDefinition)]
    .flatMap((arn) => (arn === undefined ? [] : [revisionKey(arn)]))
    .concat(tags[tagKeys.taskDefinition]?.split(' ')[1] ?? []);
  const consent = consentTo(permit, 'live', `deregistering revisions of ${overlay.family}`);
  const family = { scope: target.scope, family: overlay.family, tenant, consent };
  return (await deregisterUnused(api, ownership, { ...family, inUse, most: 1 }, signal)) > 0;
}
