import { ComputeError } from '../../../../errors.ts';
import { denied } from '../../../../policy.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { DockerConfig } from '../../config.ts';
import type { ContainerOptionsConfig } from '../../config/container-options.ts';
import type { Asking } from '../confinement/asking.ts';

/** What the tenant asks for of one container, and what the operator's own block gives to one of that name. */
export interface OptionsAsking extends Asking {
  readonly name: string;
  readonly asked: ContainerOptionsConfig;
  readonly own: ContainerOptionsConfig;
}

export function optionsAsking(name: string, asking: Asking): OptionsAsking {
  const of = ({ containers = {} }: Pick<DockerConfig, 'containers'>): ContainerOptionsConfig =>
    Object.hasOwn(containers, name) ? (containers[name] ?? {}) : {};
  return { ...asking, name, asked: of(asking.config), own: of(asking.block) };
}

/** Throws InvalidSpec for options of a container that the tenant does not have; the operator's are for who has it. */
export function checkOptionNames(
  containers: readonly Pick<ContainerSpec, 'name'>[],
  { config, block }: Pick<Asking, 'config' | 'block'>,
): void {
  const names = new Set([...containers.map(({ name }) => name), ...Object.keys(block.containers ?? {})]);
  const unknown = Object.keys(config.containers ?? {}).find((name) => !names.has(name));
  if (unknown === undefined) return;
  throw new ComputeError(
    'InvalidSpec',
    `spec.computeConfig.docker.containers: there is no container ${unknown}. Name one of ${containers.map(({ name }) => name).join(', ')}`,
  );
}

/** A refusal that names the rule and the container. */
export function refused({ name }: Pick<OptionsAsking, 'name'>, rule: string, what: string): ComputeError {
  return denied(`docker.${rule}`, `container ${name}: ${what}`, 'Leave it out');
}
