import { createHash } from 'node:crypto';
import { defaultReleaseSeconds } from '../../../../../api/container/release-fields.ts';
import { ComputeError } from '../../../../errors.ts';
import { specHash } from '../../../../spec/spec-hash.ts';
import type { TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { ServiceTarget } from '../../address/service-target.ts';
import type { EcsConfig } from '../../config.ts';
import { requestMark } from '../marks/request-mark.ts';
import type { Overlay } from '../task-definition/task-overlay.ts';

/** A tenant's release in the words of ECS: a task of its own, of what the service is to run, with other arguments. Pure. */

export interface DesiredRelease {
  /** Whose end is the end of it. */
  readonly container: string;
  readonly args: readonly string[];
  readonly timeoutSeconds: number;
  /** Stands for what is run and for what it is run for: once is enough. */
  readonly mark: string;
  /** See request-mark.ts: one that failed is run once more for another request. */
  readonly request: string;
}

const hashVersion = 'v1';

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html: all overrides together, in characters. */
const longestOverrides = 8_192;

/** Throws InvalidSpec for what ECS can't do. */
export function desireRelease(
  { release, config, containers, requestedAt }: TenantComputeSpec<EcsConfig>,
  overlay: Overlay | undefined,
): DesiredRelease | undefined {
  if (release === undefined) return undefined;
  const { container, command, args = [], timeoutSeconds = defaultReleaseSeconds } = release;
  if (command !== undefined)
    throw refused('command', "ECS can't replace an entrypoint for one task. Leave it out, and use args");
  if (config.volume_configurations !== undefined)
    throw refused('container', 'a task that runs alone gets no volumes from volume_configurations');
  if (containers.length > 0 && !containers.some(({ name }) => name === container))
    throw refused('container', `there is no container ${container}`);
  if (JSON.stringify(overridesOf({ container, args })).length > longestOverrides)
    throw refused('args', `ECS takes at most ${longestOverrides} characters`);
  const what = { base: config.task_definition_arn, overlay: overlay?.hash, container, args, timeoutSeconds };
  return {
    container,
    args,
    timeoutSeconds,
    mark: specHash(hashVersion, 'release', what),
    request: requestMark(requestedAt),
  };
}

function refused(field: string, why: string): ComputeError {
  return new ComputeError('InvalidSpec', `spec.release.${field}: ${why}`);
}

export function overridesOf({ container, args }: Pick<DesiredRelease, 'container' | 'args'>) {
  return { containerOverrides: [{ name: container, command: [...args] }] };
}

/** `startedBy` of each release of the service: at most 36 characters, by which its tasks are found. */
export function releaseStarter({ cluster, service }: Pick<ServiceTarget, 'cluster' | 'service'>): string {
  const digest = createHash('sha256').update(`${cluster}/${service}`).digest('hex').slice(0, 16);
  return `landlord-release-${digest}`;
}

/** The tag of a task that is a release. */
export function releaseTag({ mark, request }: Pick<DesiredRelease, 'mark' | 'request'>): string {
  return `${mark} at=${request}`;
}

/** The tag of a service whose first release has begun: that there are some. */
export const releaseBegun = 'begun';
