import { isJob } from '../../../../../../api/container/lifecycle-fields.ts';
import { ComputeError } from '../../../../../errors.ts';
import type { ContainerSpec } from '../../../../../spec/tenant-compute-spec.ts';
import type { ContainerDefinition, ContainerDependency } from '../task-definition.ts';

/** How the containers of a task begin and end, in the words of ECS. */

const conditions = { Started: 'START', Healthy: 'HEALTHY', Completed: 'SUCCESS' } as const;

/** Those of the base, and those that the container names: what is for the same container is its own. */
export function dependencies(
  dependsOn: NonNullable<ContainerSpec['dependsOn']>,
  base: ContainerDefinition,
): ContainerDependency[] {
  const own = dependsOn.map(({ container, condition = 'Started' }) => ({
    containerName: container,
    condition: conditions[condition],
  }));
  const named = new Set(dependsOn.map(({ container }) => container));
  const ofBase = Array.isArray(base.dependsOn) ? base.dependsOn : [];
  return [...ofBase.filter(({ containerName = '' }) => !named.has(containerName)), ...own];
}

/** The least that ECS takes: one that ends sooner after its start is not started again by itself. */
const restartAttemptPeriod = 60;

/** A job is never essential: ECS ends the whole task with what is. */
export function restarts(
  policy: NonNullable<ContainerSpec['restartPolicy']>,
): Pick<ContainerDefinition, 'essential' | 'restartPolicy'> {
  switch (policy) {
    case 'Always':
      return { restartPolicy: { enabled: true, restartAttemptPeriod } };
    case 'OnFailure':
      return {
        essential: false,
        restartPolicy: { enabled: true, ignoredExitCodes: [0], restartAttemptPeriod },
      };
    case 'Never':
      return { essential: false, restartPolicy: { enabled: false } };
    default:
      return policy satisfies never;
  }
}

/** Throws InvalidSpec where ECS would take no task of these. */
export function checkLifecycle(
  specs: readonly ContainerSpec[],
  definitions: readonly ContainerDefinition[],
): void {
  const job = specs.find((spec) => isJob(spec) && definitions.every(({ essential = true }) => !essential));
  if (job !== undefined) {
    throw invalid(
      job.name,
      'restartPolicy',
      'a task of ECS needs a container that runs on beside its jobs. Add one',
    );
  }
  for (const { name, dependsOn = [] } of specs) {
    const unseen = dependsOn.find(
      ({ container, condition }) =>
        condition === 'Healthy' &&
        definitions.find((definition) => definition.name === container)?.healthCheck === undefined,
    );
    if (unseen === undefined) continue;
    const { container } = unseen;
    throw invalid(
      name,
      'dependsOn',
      `ECS knows by a health check alone that ${container} is healthy. Give it one, or wait until it is Started`,
    );
  }
}

function invalid(container: string, field: keyof ContainerSpec, why: string): ComputeError {
  return new ComputeError('InvalidSpec', `spec.containers: container ${container}: ${field}: ${why}`);
}
