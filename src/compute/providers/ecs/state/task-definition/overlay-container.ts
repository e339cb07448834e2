import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { secretArn } from './secret-arn.ts';
import type { EnvironmentVariable, SecretReference } from './task-definition.ts';

/** A tenant's container, with its variables as ECS takes them: values, and references to secrets. */
export interface OverlayContainer {
  readonly spec: ContainerSpec;
  readonly environment: readonly EnvironmentVariable[];
  readonly secrets: readonly SecretReference[];
}

/** Throws InvalidSpec for a secret that is not mapped. */
export function overlayContainer(
  spec: ContainerSpec,
  namespace: string,
  secretArns: Readonly<Record<string, string>>,
): OverlayContainer {
  const environment: EnvironmentVariable[] = [];
  const secrets: SecretReference[] = [];
  for (const variable of spec.env) {
    if ('value' in variable) {
      environment.push({ name: variable.name, value: variable.value });
      continue;
    }
    const { name, key } = variable.secretKeyRef;
    secrets.push({ name: variable.name, valueFrom: secretArn(secretArns, { namespace, name, key }) });
  }
  return { spec, environment: environment.toSorted(byName), secrets: secrets.toSorted(byName) };
}

function byName(a: { name?: string | undefined }, b: { name?: string | undefined }): number {
  const [left = '', right = ''] = [a.name, b.name];
  return left < right ? -1 : left > right ? 1 : 0;
}
