import { consentTo } from '../../../permit.ts';
import type { StepResult } from '../../../provider.ts';
import { readMark, rejectedMark } from '../state/marks/applied-mark.ts';
import { diffService, missingTags } from '../state/diff.ts';
import { startsDeployment, updateServiceInput } from '../state/service-input.ts';
import { drainTag } from '../state/marks/service-tags.ts';
import { tagKeys, tagList, tagMap } from '../state/marks/tags.ts';
import { lacksGroups } from '../state/balancing/known-groups.ts';
import { applyScaling } from './apply-scaling.ts';
import type { ServiceDeps } from './attempt.ts';
import { reachThere } from './balancing/reach-service.ts';
import { checkNamed } from './desired-revision.ts';
import type { Updating } from './update-service.ts';

export const held: StepResult = { outcome: 'done', message: 'What ran before is kept running' };

/**
 * Puts right what somebody else changed, but for what ECS rolls out: it went back from that as a whole, and what the
 * rejected spec asks for of it is not to be tried again.
 */
export async function holdService(
  deps: ServiceDeps,
  { attempt, service }: Updating,
  signal: AbortSignal,
): Promise<StepResult> {
  const { api } = deps;
  const { desired } = attempt;
  const { scope, cluster, service: name } = desired.target;
  const diff = diffService(desired, service);
  if (diff.applied === 'other') return held;
  const { desiredCount: tasks = 0 } = diff.differs;
  const { taskDefinition = '', desiredCount = 0 } = service;
  if (tasks > desiredCount) await checkNamed(deps, { desired, taskDefinition, tasks }, signal);
  const { scaling } = diff;
  const isOther = startsDeployment({ ...diff.differs, force: false });
  const still = {
    taskDefinition: false,
    network: false,
    launchType: false,
    force: false,
    rolledSettings: {},
  };
  const update = updateServiceInput(desired, { ...diff.differs, ...still }, '');
  const consent = consentTo(attempt.permit, 'live', `updating service ${name}`);
  if (Object.keys(update).length > 0)
    await api.updateService(scope, { cluster, service: name, ...update }, consent, signal);
  if (scaling?.isDrift === true)
    await applyScaling(api, { desired, permit: attempt.permit, service }, signal);
  // What is to be made anew has an ARN of its own, which only an update of the service brings it.
  const isReachable = diff.rules?.isDrift === true && !lacksGroups(desired);
  const reached = isReachable ? await reachThere(deps, { attempt, service, diff }, signal) : { service };
  const tags = tagMap(reached.service.tags);
  const rejected = isOther ? { [tagKeys.specHash]: rejectedMark(desired, readMark(tags).settings) } : {};
  const wanted = missingTags({ ...desired.tags, ...drainTag(desired), ...rejected }, tags);
  const missing = tagList(wanted);
  if (missing.length > 0) await api.tagResource(scope, service.serviceArn ?? '', missing, signal);
  return held;
}
