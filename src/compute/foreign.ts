import { denied } from './policy.ts';
import type { CommonPolicy } from './policy.ts';
import type { TenantComputeSpec } from './spec/tenant-compute-spec.ts';

/**
 * What is to be done about something that has the right name and bears nobody's marks: it is in the way (`refuse`), it is
 * what is only shown (`show`), or it is taken over (`adopt`). What bears another owner's marks is always in the way.
 */
export type Stance = 'refuse' | 'show' | 'adopt';

interface Allowed {
  /** Whether the operator's policy lists the name among those of others that tenants may see. */
  readonly isListed: boolean;
  readonly commonPolicy: Pick<CommonPolicy, 'allow_adopt'>;
}

/** Throws PolicyDenied where it asks to take over, and no tenant there may. */
export function stanceOf(
  { mode, adopt }: Pick<TenantComputeSpec, 'mode' | 'adopt'>,
  { isListed, commonPolicy }: Allowed,
): Stance {
  if (mode === 'Observe') return isListed ? 'show' : 'refuse';
  if (adopt !== true) return 'refuse';
  if (commonPolicy.allow_adopt !== true) throw denied('allow_adopt', 'spec.adopt is true', 'Leave it out');
  return isListed ? 'adopt' : 'refuse';
}
