import { ComputeError } from '../../../../errors.ts';
import { denied } from '../../../../policy.ts';
import { revisionKey } from '../../address/arns.ts';
import { checkDropped } from './fields/kernel-settings.ts';
import type { ContainerDefinition, TaskDefinition } from './task-definition.ts';
import type { Overlay } from './task-overlay.ts';

/**
 * Which containers of its base an overlay may touch. Who says what runs in a container has all that the base gives it:
 * its secrets and its volumes. Throws PolicyDenied, naming the rule.
 */
export function checkOverlaid(
  {
    containers,
    mayOverlay,
    allowedCapabilities,
  }: Pick<Overlay, 'containers' | 'mayOverlay' | 'allowedCapabilities'>,
  base: TaskDefinition,
): void {
  const definitions = base.containerDefinitions ?? [];
  const [first] = definitions;
  const task = `the task definition ${revisionKey(base.taskDefinitionArn ?? '')}`;
  const shared = hostNamespace(base);
  if (shared !== undefined) throw powerful(`${task} ${shared}`, 'it');
  for (const { spec } of containers) {
    const definition = definitions.find(({ name }) => name === spec.name);
    if (definition === undefined) continue;
    const power = powerOf(definition, base);
    checkDropped(spec, definition, allowedCapabilities);
    if (power !== undefined) throw powerful(`container ${spec.name} of ${task} ${power}`, 'that container');
    if (definition === first || mayOverlay.includes(spec.name)) continue;
    throw denied(
      rule,
      `container ${spec.name} of ${task} is not one that tenants may overlay`,
      `Overlay ${first?.name}, or add a container of another name`,
    );
  }
}

const rule = 'ecs.overlay_containers';

/** No rule allows this: it would be the host's, and whatever else runs on it. */
function powerful(what: string, which: string): ComputeError {
  return new ComputeError(
    'PolicyDenied',
    `policy.${rule}: ${what}, and no tenant may overlay ${which}. ` +
      "Leave it as it is, or have the operator's admin offer a task definition without that",
  );
}

/** What all containers of the task share with the host. */
function hostNamespace({ pidMode, ipcMode }: TaskDefinition): string | undefined {
  if (pidMode === 'host') return 'runs among the processes of its host';
  return ipcMode === 'host' ? 'shares the memory of its host' : undefined;
}

/** What gives a container power over the host that it runs on, in words. */
function powerOf(definition: ContainerDefinition, base: TaskDefinition): string | undefined {
  const { privileged, linuxParameters, dockerSecurityOptions } = definition;
  if (privileged === true) return 'is privileged';
  if (listed(linuxParameters?.capabilities?.add).length > 0) return 'has added capabilities';
  if (listed(linuxParameters?.devices).length > 0) return 'has devices of its host';
  if (listed(dockerSecurityOptions).some((option) => /unconfined|label[:=]disable/i.test(option)))
    return 'is not confined';
  return mountsHost(definition, base) ? 'mounts a path of its host' : undefined;
}

/** By a volume of its own, or by those that it has from other containers. */
function mountsHost(
  definition: ContainerDefinition,
  { containerDefinitions, volumes }: TaskDefinition,
): boolean {
  const ofHost = new Set(
    listed(volumes)
      .filter(isOfHost)
      .map(({ name }) => name),
  );
  const reached = new Set([definition]);
  for (const one of reached) {
    if (listed(one.mountPoints).some(({ sourceVolume }) => ofHost.has(sourceVolume))) return true;
    for (const { sourceContainer } of listed(one.volumesFrom)) {
      const source = listed(containerDefinitions).find(({ name }) => name === sourceContainer);
      if (source !== undefined) reached.add(source);
    }
  }
  return false;
}

/** Some endpoints answer with an empty text for a list that was never given. */
function listed<T>(list: readonly T[] | undefined): readonly T[] {
  return Array.isArray(list) ? (list as readonly T[]) : [];
}

/** A driver may be told of a path, too: Docker's own binds one by `device`. */
function isOfHost({
  host,
  dockerVolumeConfiguration,
}: NonNullable<TaskDefinition['volumes']>[number]): boolean {
  const options = Object.values(dockerVolumeConfiguration?.driverOpts ?? {});
  return (host?.sourcePath ?? '') !== '' || options.some((value) => value.startsWith('/'));
}
