import { bearsHash } from '../../compute/provider.ts';
import type { Desired } from '../../compute/provider.ts';
import { note } from '../pass.ts';
import type { Pass } from '../pass.ts';

/**
 * What was rejected stays so, though the write that tells it may have been refused, or overwritten: to try it once more
 * would be another short stop of what runs.
 */
export function noteRejection({ memory, draft }: Pass): void {
  memory.rejected = draft.rejected;
}

export function recallRejection(pass: Pass, desired: Desired): void {
  const { rejected } = pass.memory;
  if (rejected !== undefined && bearsHash(desired, rejected.specHash)) note(pass, { rejected });
}
