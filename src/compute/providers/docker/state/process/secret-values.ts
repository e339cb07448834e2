import { UnreadSecret } from '../../../../spec/secret-value.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import { secretsIn } from '../volumes/container-mounts.ts';

/** What no message may show: of the environment, of credentials, of files. What was not read is not known here. */
export function secretValues(
  { imagePullCredentials, volumes }: TenantComputeSpec,
  containers: readonly ContainerSpec[],
): readonly string[] {
  return [
    ...containers.flatMap(({ env }) =>
      env.flatMap((variable) => {
        const secret = 'secret' in variable ? variable.secret : undefined;
        return secret === undefined || secret instanceof UnreadSecret ? [] : secret.reveal();
      }),
    ),
    ...imagePullCredentials.map(({ password }) => password.reveal()),
    ...secretsIn(volumes ?? []),
  ];
}
