import type { ContainerSpec, TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import { secretsIn } from '../volumes/container-mounts.ts';

/** What no message may show: of the environment, of credentials, of files. */
export function secretValues(
  { imagePullCredentials, volumes }: TenantComputeSpec,
  containers: readonly ContainerSpec[],
): readonly string[] {
  return [
    ...containers.flatMap(({ env }) =>
      env.flatMap((variable) => ('secret' in variable ? (variable.secret?.reveal() ?? []) : [])),
    ),
    ...imagePullCredentials.map(({ password }) => password.reveal()),
    ...secretsIn(volumes ?? []),
  ];
}
