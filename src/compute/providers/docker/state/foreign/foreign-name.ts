import { ComputeError } from '../../../../errors.ts';
import { stanceOf } from '../../../../foreign.ts';
import { isListed } from '../../../../policy.ts';
import type { CommonPolicy } from '../../../../policy.ts';
import type { TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import { refused } from '../options/options-asking.ts';
import type { OptionsAsking } from '../options/options-asking.ts';

/**
 * Name of the container, not made by Landlord, that is observed or taken over in the place of this one. Undefined: none.
 * Throws InvalidSpec where it is neither, and PolicyDenied, naming the rule.
 */
export function foreignNameOf(
  asking: OptionsAsking,
  spec: Pick<TenantComputeSpec, 'mode' | 'adopt'>,
  commonPolicy: CommonPolicy,
): string | undefined {
  const { name, asked, own, policy } = asking;
  const { container_name: foreign } = asked;
  if (foreign === undefined) return undefined;
  if (spec.mode !== 'Observe' && spec.adopt !== true) {
    const what = `container_name ${foreign} is of a container that is observed or taken over`;
    throw new ComputeError(
      'InvalidSpec',
      `spec.computeConfig.docker.containers.${name}: ${what}. Set spec.mode to Observe, or spec.adopt to true, or leave it out`,
    );
  }
  const listed = isListed(policy.foreign_containers, foreign) || own.container_name === foreign;
  if (stanceOf(spec, { isListed: listed, commonPolicy }) !== 'refuse') return foreign;
  throw refused(asking, 'foreign_containers', `container_name ${foreign} is not one that tenants may name`);
}
