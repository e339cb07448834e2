import { ComputeError } from '../../../../../errors.ts';
import type { ContainerSpec } from '../../../../../spec/tenant-compute-spec.ts';
import { revisionKey } from '../../../address/arns.ts';
import type { RuntimePlatform, TaskDefinition } from '../task-definition.ts';

/** What a task runs on, which all of its containers share. */

type Platformed = Pick<ContainerSpec, 'name' | 'platform'>;
type Architecture = NonNullable<RuntimePlatform['cpuArchitecture']>;

const architectures: ReadonlyMap<string, Architecture> = new Map([
  ['linux/amd64', 'X86_64'],
  ['linux/arm64', 'ARM64'],
  ['linux/arm64/v8', 'ARM64'],
]);

/** Throws InvalidSpec for what ECS does not have, and where containers differ. Undefined: none of them says any. */
export function checkPlatforms(containers: readonly Platformed[]): Architecture | undefined {
  let first: { readonly name: string; readonly architecture: Architecture } | undefined;
  for (const { name, platform } of containers) {
    if (platform === undefined) continue;
    const architecture = architectures.get(platform);
    if (architecture === undefined)
      throw refused(name, `ECS has no ${platform}. Name linux/amd64 or linux/arm64`);
    first ??= { name, architecture };
    if (first.architecture === architecture) continue;
    throw refused(
      name,
      `it is not that of container ${first.name}, and all containers of a task run on one. Name the same`,
    );
  }
  return first?.architecture;
}

/** The base's, where nobody says otherwise. Throws InvalidSpec where the base says otherwise than the containers. */
export function runtimePlatform(
  containers: readonly Platformed[],
  { runtimePlatform: own, taskDefinitionArn = '' }: TaskDefinition,
): Pick<TaskDefinition, 'runtimePlatform'> {
  const cpuArchitecture = checkPlatforms(containers);
  if (cpuArchitecture === undefined) return {};
  const { cpuArchitecture: ofBase = cpuArchitecture, operatingSystemFamily = 'LINUX' } = own ?? {};
  if (ofBase === cpuArchitecture && operatingSystemFamily === 'LINUX') {
    return { runtimePlatform: { ...own, cpuArchitecture, operatingSystemFamily } };
  }
  const [named] = containers.filter(({ platform }) => platform !== undefined);
  throw refused(
    named?.name ?? '',
    `the task definition ${revisionKey(taskDefinitionArn)} is for ${operatingSystemFamily} on ${ofBase}. Leave it out`,
  );
}

function refused(container: string, why: string): ComputeError {
  return new ComputeError('InvalidSpec', `spec.containers: container ${container}: platform: ${why}`);
}
