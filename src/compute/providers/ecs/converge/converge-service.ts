import type { Service, UpdateServiceCommandInput } from '@aws-sdk/client-ecs';
import { memoryBytes } from '../../../../api/quantity.ts';
import { ComputeError } from '../../../errors.ts';
import type { StepResult } from '../../../provider.ts';
import { revisionKey } from '../arns.ts';
import { checkSize } from '../state/check-policy.ts';
import { compareService, isDesiredRevision, missingTags, rejectedHash } from '../state/diff.ts';
import type { Comparison } from '../state/diff.ts';
import {
  createServiceInput,
  defaultDesiredCount,
  deploymentConfiguration,
  drainTag,
  networkConfiguration,
  serviceTags,
} from '../state/desired.ts';
import type { DesiredService, EcsSettings } from '../state/desired.ts';
import type { EcsApi } from '../engine/ecs-api.ts';
import type { ServiceTarget } from '../service-target.ts';
import { assertOwn } from '../state/assert-own.ts';
import { isThere } from '../state/observed.ts';
import { tagKeys, tagList, tagMap } from '../state/tags.ts';
import { rolloutOf } from '../state/rollout.ts';
import { ensureRevision, noTaskDefinition } from './task-revisions.ts';

/** Takes the next step from what is there towards what is desired. Each look is followed by the writes it calls for. */

export interface Attempt {
  readonly desired: DesiredService;
  /** Only keep running what was there before: its task definition is not touched. */
  readonly hold: boolean;
  /** What a refusal of ECS is called. */
  readonly failure: 'ProvisionFailed' | 'UpdateFailed';
}

export interface ServiceDeps {
  readonly api: EcsApi;
  readonly settings: EcsSettings;
  /** Called before the service is asked for: from then on MISSING may mean "not visible yet". */
  readonly noteCreate: (target: ServiceTarget) => void;
  /** Called with a family that got a new revision: older ones of it may be unused. */
  readonly noteRevision: (desired: DesiredService) => void;
}

/** ECS shows a new service after a second or two. */
const visibleMs = 2_000;
const drainLookMs = 3_000;

export async function convergeService(
  parts: ServiceDeps,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<StepResult> {
  const { desired, hold } = attempt;
  const service = await lookAtOwn(parts, desired, signal);
  if (service?.status === 'DRAINING') return draining(desired.target);
  if (hold) return isThere(service) ? holdService(parts, { attempt, service }, signal) : kept;
  return isThere(service)
    ? updateService(parts, { attempt, service }, signal)
    : createService(parts, { attempt, before: service }, signal);
}

const kept: StepResult = { outcome: 'done', message: 'What ran before is kept running' };

function draining({ service }: ServiceTarget): StepResult {
  return {
    outcome: 'in_progress',
    message: `Waiting for the old service ${service} to drain: ECS does not give its name away before`,
    lookAgainAfterMs: drainLookMs,
  };
}

/** The service, unless it is someone else's: then ProviderConflict. An INACTIVE one is anybody's. */
export async function lookAtOwn(
  { api, settings: { ownership } }: Pick<ServiceDeps, 'api' | 'settings'>,
  desired: DesiredService,
  signal: AbortSignal,
): Promise<Service | undefined> {
  const { target } = desired;
  const service = await api.describeService(target, 'user', signal);
  if (service === 'cluster-gone') return undefined;
  assertOwn(ownership, desired, service);
  return service;
}

async function createService(
  parts: ServiceDeps,
  { attempt, before }: { readonly attempt: Attempt; readonly before: Service | undefined },
  signal: AbortSignal,
): Promise<StepResult> {
  const { api } = parts;
  const { desired } = attempt;
  const { target } = desired;
  const taskDefinition = await desiredRevision(parts, desired, signal);
  parts.noteCreate(target);
  const input = createServiceInput(desired, taskDefinition, before?.createdAt);
  const answer = await api.createService(target.scope, input, signal);
  if (answer === 'cluster-gone') throw noCluster(attempt);
  if (answer === 'draining') return draining(target);
  if (answer === 'exists') return adopt(parts, attempt, signal);
  return { outcome: 'done', message: `Service ${target.service} was created` };
}

/** Made by a call whose answer was lost, or by another pass, or by somebody else: a look tells. */
async function adopt(parts: ServiceDeps, attempt: Attempt, signal: AbortSignal): Promise<StepResult> {
  const { target } = attempt.desired;
  await lookAtOwn(parts, attempt.desired, signal);
  const message = `Waiting until ECS shows the service ${target.service}`;
  return { outcome: 'in_progress', message, lookAgainAfterMs: visibleMs };
}

function noCluster({ desired, failure }: Attempt): ComputeError {
  return new ComputeError(failure, `there is no ECS cluster ${desired.target.cluster}`);
}

/** ARN of what the service is to run. */
async function desiredRevision(
  { api, settings, noteRevision }: ServiceDeps,
  desired: DesiredService,
  signal: AbortSignal,
): Promise<string> {
  const { overlay, taskDefinition, target, ownerTags } = desired;
  if (overlay === undefined) {
    await checkNamedSize(api, settings, desired, signal);
    return taskDefinition;
  }
  const wanted = { scope: target.scope, overlay, tenant: desired, ownerTags };
  const arn = await ensureRevision(api, settings.ownership, wanted, signal);
  noteRevision(desired);
  return arn;
}

/** A task definition that runs as it is counts as well, where tenants have a bound: they choose how often. */
async function checkNamedSize(
  api: EcsApi,
  { commonPolicy }: EcsSettings,
  { taskDefinition: name, target, desiredCount = defaultDesiredCount }: DesiredService,
  signal: AbortSignal,
): Promise<void> {
  const { cpu: cpuBound, memory: memoryBound } = commonPolicy.max_resources;
  if (cpuBound === '' && memoryBound === '') return;
  const found = await api.describeTaskDefinition(target.scope, name, signal);
  if (found === undefined) throw noTaskDefinition(name);
  const { cpu = '', memory = '', containerDefinitions = [] } = found.taskDefinition;
  // The image is the operator's choice.
  const policy = { ...commonPolicy, allowed_images: ['*'] };
  const sized =
    cpu !== '' && memory !== ''
      ? [
          {
            name: revisionKey(name),
            image: '',
            resources: { cpu: millicores(Number(cpu)), memory: `${memory}Mi` },
          },
        ]
      : containerDefinitions.map((container) => ({
          name: container.name ?? '',
          image: '',
          resources: {
            ...((container.cpu ?? 0) === 0 ? {} : { cpu: millicores(container.cpu ?? 0) }),
            ...(container.memory === undefined ? {} : { memory: memoryBytes(`${container.memory}Mi`) }),
          },
        }));
  checkSize(policy, sized, desiredCount);
}

/** 1024 units are a core. */
function millicores(units: number): string {
  return `${Math.ceil((units * 1000) / 1024)}m`;
}

interface Updating {
  readonly attempt: Attempt;
  readonly service: Service;
}

async function updateService(
  parts: ServiceDeps,
  { attempt, service }: Updating,
  signal: AbortSignal,
): Promise<StepResult> {
  const { desired } = attempt;
  const rollout = rolloutOf(service, desired);
  const comparison = compareService(desired, service);
  const again = rollout.kind === 'failed' && rollout.previous === undefined;
  if (comparison.changes.length === 0 && !again)
    return { outcome: 'done', message: 'The service is as desired' };
  const current = service.taskDefinition;
  const taskDefinition =
    current !== undefined && isDesiredRevision(desired, current, tagMap(service.tags))
      ? current
      : await desiredRevision(parts, desired, signal);
  if (comparison.replace) return replaceService(parts, { attempt, comparison }, signal);
  const differs = { ...comparison.differs, taskDefinition: taskDefinition !== current };
  const changes = updateInput(desired, differs, taskDefinition);
  const update = again ? { ...changes, forceNewDeployment: true } : changes;
  if (Object.keys(update).length > 0) {
    const waiting = await sendUpdate(parts, { attempt, service }, update, signal);
    if (waiting !== undefined) return waiting;
  }
  await writeTags(parts, { attempt, service }, { comparison, revision: revisionKey(taskDefinition) }, signal);
  return { outcome: 'done', message: 'The service was updated' };
}

function updateInput(
  desired: DesiredService,
  differs: Comparison['differs'],
  taskDefinition: string,
): Omit<UpdateServiceCommandInput, 'cluster' | 'service'> {
  const { network } = desired;
  return {
    ...(differs.taskDefinition ? { taskDefinition } : {}),
    ...(differs.desiredCount === undefined ? {} : { desiredCount: differs.desiredCount }),
    ...(differs.network && network !== undefined
      ? { networkConfiguration: networkConfiguration(network) }
      : {}),
    ...(differs.deployment ? { deploymentConfiguration } : {}),
  };
}

/** Undefined: done. */
async function sendUpdate(
  { api }: ServiceDeps,
  { attempt }: Updating,
  update: Omit<UpdateServiceCommandInput, 'cluster' | 'service'>,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { scope, cluster, service } = attempt.desired.target;
  const answer = await api.updateService(scope, { cluster, service, ...update }, signal);
  if (answer === 'cluster-gone') throw noCluster(attempt);
  if (answer === 'inactive') return draining(attempt.desired.target);
  if (answer === 'missing') {
    const message = `The service ${service} went away meanwhile: it is made anew`;
    return { outcome: 'in_progress', message, lookAgainAfterMs: visibleMs };
  }
  return undefined;
}

/** After all else: the mark of the desired state says that it was applied. */
async function writeTags(
  { api }: ServiceDeps,
  { attempt: { desired }, service }: Updating,
  { comparison, revision }: { readonly comparison: Comparison; readonly revision: string },
  signal: AbortSignal,
): Promise<void> {
  const { scope } = desired.target;
  const actual = tagMap(service.tags);
  const wanted = serviceTags(desired, revision);
  const arn = service.serviceArn ?? '';
  const staleMarks = [tagKeys.tagKeys, tagKeys.taskDefinition, tagKeys.drain].filter(
    (key) => key in actual && !(key in wanted),
  );
  const untag = [...comparison.untag, ...staleMarks];
  if (untag.length > 0) await api.untagResource(scope, arn, untag, signal);
  const tags = tagList(missingTags(wanted, actual));
  if (tags.length > 0) await api.tagResource(scope, arn, tags, signal);
}

/** Under one name there is only one service. Its successor is known to be possible: the task definition is there. */
async function replaceService(
  { api }: ServiceDeps,
  { attempt: { desired }, comparison }: { readonly attempt: Attempt; readonly comparison: Comparison },
  signal: AbortSignal,
): Promise<StepResult> {
  const { target } = desired;
  await api.deleteService(target, signal);
  const from = comparison.changes.find(({ path }) => path === 'launchType')?.actual ?? 'another one';
  return {
    outcome: 'in_progress',
    message:
      `Replacing the service ${target.service}: ECS can't change its launch type from ${from} to ${desired.launchType}, ` +
      'so it is drained and made anew. With another service_name the new one would come first',
    lookAgainAfterMs: drainLookMs,
  };
}

/** Puts right what somebody else changed, but for the task definition, which is the one that ECS went back to. */
async function holdService(
  { api }: ServiceDeps,
  { attempt, service }: Updating,
  signal: AbortSignal,
): Promise<StepResult> {
  const { desired } = attempt;
  const { scope, cluster, service: name } = desired.target;
  const comparison = compareService(desired, service);
  if (comparison.applied === 'other') return kept;
  const update = updateInput(desired, { ...comparison.differs, taskDefinition: false }, '');
  if (Object.keys(update).length > 0)
    await api.updateService(scope, { cluster, service: name, ...update }, signal);
  const rejected = comparison.differs.taskDefinition
    ? { [tagKeys.specHash]: rejectedHash(desired.specHash) }
    : {};
  const tags = tagList(
    missingTags({ ...desired.tags, ...drainTag(desired), ...rejected }, tagMap(service.tags)),
  );
  if (tags.length > 0) await api.tagResource(scope, service.serviceArn ?? '', tags, signal);
  return kept;
}
