import { revisionKey } from '../address/arns.ts';
import { isDesiredRevision } from './diff.ts';
import type { DesiredService } from './desired.ts';
import type { EcsDeployment, EcsService } from './ecs-service.ts';
import { tagKeys, tagMap } from './tags.ts';

/** How far the rollout of what was applied last has come. */

export type Rollout =
  /** The service runs our task definition, or is on its way to it, for all that ECS tells. */
  | { readonly kind: 'ours'; readonly deployment: EcsDeployment | undefined }
  /** Ours failed; `previous`: the task definition that ECS went back to; undefined: there was none. */
  | {
      readonly kind: 'failed';
      readonly deployment: EcsDeployment | undefined;
      /** `FAMILY:REVISION` of ours. */
      readonly taskDefinition: string;
      readonly previous: string | undefined;
      readonly why: string | undefined;
    }
  /** Another task definition, which nobody rolled back to: somebody's edit, or an older desired state. */
  | { readonly kind: 'other'; readonly deployment: EcsDeployment | undefined };

/**
 * A task definition that is not ours is a rollback, not an edit, where a deployment of ours is FAILED, or where ECS
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
  const isOurs = (arn: string | undefined): boolean => isDesiredRevision(desired, arn, tags);
  const marked = tags[tagKeys.specHash] === desired.specHash;
  if (isOurs(service.taskDefinition)) {
    if (primary?.rolloutState === 'FAILED' && marked) return failed(service, primary, undefined);
    return { kind: 'ours', deployment: primary };
  }
  if (!marked) return { kind: 'other', deployment: primary };
  const fallen = deployments.find(
    ({ rolloutState, taskDefinition }) => rolloutState === 'FAILED' && isOurs(taskDefinition),
  );
  if (fallen !== undefined || isReturn(service, primary)) {
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
function isReturn({ events = [] }: EcsService, primary: EcsDeployment | undefined): boolean {
  const { id, rolloutStateReason = '' } = primary ?? {};
  if (id === undefined) return false;
  if (/rollback|roll(ing|ed) back|circuit breaker/i.test(rolloutStateReason)) return true;
  return events.some(({ message = '' }) => /roll(ing|ed) back to/i.test(message) && message.includes(id));
}
