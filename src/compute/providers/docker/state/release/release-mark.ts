import { createHash } from 'node:crypto';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';

/** What tells a tenant's release from its other containers: a name that no container of a spec can have, and a label. Pure. */

/** The label, `SECONDS` or `SECONDS/REQUEST`: how long it may run, and the request on which it was made. */
export const releaseMark = 'release';

const suffix = '.release';

/** Of the release that is of this container. No container of a spec has a period in its name. */
export function releaseName(container: string): string {
  return `${container}${suffix}`;
}

/** Whether such a name is one of a release. */
export function isReleaseName(name: string): boolean {
  return name.endsWith(suffix);
}

/** `the release command of app`, or `the new container app`. */
export function newContainerWords(name: string): string {
  return isReleaseName(name)
    ? `the release command of ${name.slice(0, -suffix.length)}`
    : `the new container ${name}`;
}

export interface Release {
  /** Name of the container of which it is. */
  readonly of: string;
  readonly timeoutSeconds: number;
  /** Stands for the request to reconcile that was the last one; empty: there was none. */
  readonly request: string;
}

export function releaseText({ timeoutSeconds, request }: Omit<Release, 'of'>): string {
  return request === '' ? `${timeoutSeconds}` : `${timeoutSeconds}/${request}`;
}

/** Whoever asks may say what they like: a label has no room for all of it. */
export function requestText(requestedAt: string | undefined): string {
  return requestedAt === undefined ? '' : createHash('sha256').update(requestedAt).digest('hex').slice(0, 16);
}

export function isRelease({ made }: Pick<ObservedContainer, 'made'>): boolean {
  return made.release !== undefined;
}

/** Whether it is a release that runs no more: to remove it is nothing to anybody. */
export function isEndedRelease(container: ObservedContainer): boolean {
  return isRelease(container) && !isUp(container);
}

/** Undefined: it is none. */
export function readRelease({ made }: Pick<ObservedContainer, 'made'>): Omit<Release, 'of'> | undefined {
  if (made.release === undefined) return undefined;
  const [seconds = '', request = ''] = made.release.split('/');
  return { timeoutSeconds: /^\d{1,5}$/.test(seconds) ? Number(seconds) : 0, request };
}
