import { longestStopGraceSeconds } from '../../../../../api/process-fields.ts';
import type { ObservedContainer } from '../observed-container.ts';

/** What a container is given to end by itself. Pure. */

/** The label that says so, in seconds: nobody has to inspect a container to stop it. */
export const graceMark = 'stop_grace';

/** The engine's own default, in seconds. */
const defaultGraceSeconds = 10;

/** In seconds. Labels are anybody's to write on a copy: no more than a manifest could ask for. */
export function stopGraceSeconds({ made: { stopGrace } }: Pick<ObservedContainer, 'made'>): number {
  const seconds = /^\d{1,5}$/.test(stopGrace ?? '') ? Number(stopGrace) : defaultGraceSeconds;
  return Math.min(seconds, longestStopGraceSeconds);
}
