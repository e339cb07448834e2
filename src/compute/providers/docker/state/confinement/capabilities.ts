import { defaultCapabilities } from '../../../../../api/capabilities.ts';
import type { Capability } from '../../../../../api/capabilities.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { denied } from '../../../../policy.ts';
import type { Asking } from './asking.ts';

/** Which rights of the host's root root in a container has. Pure. */

/** Those of every container, in order. Throws PolicyDenied, naming the rule. */
export function capabilitiesOfBlock(asking: Asking): readonly Capability[] {
  const { cap_add: added = [] } = asking.config;
  assertGranted(asking, added, 'cap_add');
  return inOrder([...defaultCapabilities, ...added]);
}

/**
 * Those of one container, in order; `ofBlock`: of every one. What it both adds and drops it has, as the engine has it.
 * Throws PolicyDenied, naming the rule.
 */
export function capabilitiesOf(
  { name, capabilities }: Pick<ContainerSpec, 'name' | 'capabilities'>,
  ofBlock: readonly Capability[],
  asking: Asking,
): readonly Capability[] {
  if (capabilities === undefined) return ofBlock;
  const { add = [], drop = [] } = capabilities;
  assertGranted(asking, add, `container ${name}: capabilities.add`);
  const kept = drop.includes('ALL') ? [] : ofBlock.filter((one) => !drop.includes(one));
  return inOrder([...kept, ...add]);
}

function assertGranted({ block, policy }: Asking, added: readonly Capability[], who: string): void {
  const granted = new Set([...defaultCapabilities, ...policy.allow_capabilities, ...(block.cap_add ?? [])]);
  const beyond = added.filter((name) => !granted.has(name));
  if (beyond.length === 0) return;
  throw denied(
    'docker.allow_capabilities',
    `${who} asks for ${beyond.join(', ')}, which is not allowed`,
    'Leave it out',
  );
}

function inOrder(capabilities: readonly Capability[]): readonly Capability[] {
  return [...new Set(capabilities)].toSorted();
}
