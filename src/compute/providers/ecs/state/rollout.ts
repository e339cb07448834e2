import { revisionKey } from '../address/arns.ts';
import { appliedState, askedForDefaultGroups, readMark } from './marks/applied-mark.ts';
import { isDesiredRevision } from './compare-revision.ts';
import type { Compared } from './compare-revision.ts';
import type { DesiredService } from './desired.ts';
import type { EcsDeployment, EcsRevision, EcsService } from './ecs-service.ts';
import { tagKeys, tagMap } from './marks/tags.ts';
import { isReturnTo } from './service-events.ts';

/** How far the rollout of what was applied last has come. */

export type Rollout =
  /** The service runs our revision, or is on its way to it, for all that ECS tells. */
  | { readonly kind: 'ours'; readonly deployment: EcsDeployment | undefined }
  /** Ours failed; `previous`: the task definition of what ECS went back to; undefined: there was none. */
  | {
      readonly kind: 'failed';
      readonly deployment: EcsDeployment | undefined;
      /** `FAMILY:REVISION` of ours. */
      readonly taskDefinition: string;
      readonly previous: string | undefined;
      readonly why: string | undefined;
    }
  /** Another revision, which nobody rolled back to: somebody's edit, or an older desired state. */
  | { readonly kind: 'other'; readonly deployment: EcsDeployment | undefined };

/**
 * A revision that is not ours (the task definition, the network, what it runs on) is a rollback, not an edit, where a deployment of ours is FAILED, or where ECS
 * says of the present one that it is what it went back to: in the deployment's own words, or in the events, which name
 * the deployment. It counts for the desired state that the service bears the mark of, and for no other.
 */
export function rolloutOf(service: EcsService, desired: DesiredService | undefined): Rollout {
  const deployments = service.deployments ?? [];
  const primary = deployments.find(({ status }) => status === 'PRIMARY');
  if (desired === undefined) {
    return primary?.rolloutState === 'FAILED'
      ? failed(service, primary, undefined)
      : { kind: 'ours', deployment: primary };
  }
  const tags = tagMap(service.tags);
  const mark = readMark(tags);
  const marked = appliedState(desired, mark) === 'this';
  const returned = isReturn(service);
  // Groups that ECS filled in are not told from older ones that it went back to.
  const isTakenBack = marked && returned && askedForDefaultGroups(mark);
  const isOurs = (revision: EcsRevision, compared: Compared): boolean =>
    isDesiredRevision(desired, revision, compared);
  if (isOurs(service, { tags, isTakenBack, isReturn: returned })) {
    if (primary?.rolloutState === 'FAILED' && marked) return failed(service, primary, undefined);
    return { kind: 'ours', deployment: primary };
  }
  if (!marked) return { kind: 'other', deployment: primary };
  const fallen = deployments.find(
    (deployment) =>
      deployment.rolloutState === 'FAILED' &&
      isOurs(deployment, { tags, isTakenBack: false, isReturn: false }),
  );
  if (fallen !== undefined || returned) {
    const own = tags[tagKeys.taskDefinition]?.split(' ')[1] ?? revisionKey(desired.taskDefinition);
    return { ...failed(service, fallen, service.taskDefinition), taskDefinition: own };
  }
  return { kind: 'other', deployment: primary };
}

function failed(service: EcsService, deployment: EcsDeployment | undefined, previous: string | undefined) {
  return {
    kind: 'failed',
    deployment,
    taskDefinition: revisionKey(deployment?.taskDefinition ?? service.taskDefinition ?? ''),
    previous: previous === undefined ? undefined : revisionKey(previous),
    why: deployment?.rolloutStateReason,
  } as const;
}

/** `ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/…`, or an event that says so. */
export function isReturn({ deployments = [], events = [] }: EcsService): boolean {
  const { id, rolloutStateReason = '' } = deployments.find(({ status }) => status === 'PRIMARY') ?? {};
  if (id === undefined) return false;
  if (/rollback|roll(ing|ed) back|circuit breaker/i.test(rolloutStateReason)) return true;
  return events.some((event) => isReturnTo(deployments, event));
}

/** What a person should know of tasks that ECS went back to: when these were started, nobody has noted. */
export function returnNotes(
  desired: Pick<DesiredService, 'secretReferences'>,
  service: EcsService | undefined,
): readonly string[] {
  if (desired.secretReferences.length === 0 || service === undefined || !isReturn(service)) return [];
  return ['ECS went back to tasks of before, which may have read earlier versions of its secrets'];
}
