import { digestOf } from '../service/setting-marks.ts';

/**
 * The part `at` of the mark of what was applied last: the request (a value of the annotation reconcile-requested-at) that
 * the service's tasks are those of. A service without it was never asked to start them anew.
 */
const noRequest = 'none';

export function requestMark(requestedAt: string | undefined): string {
  return requestedAt === undefined ? noRequest : digestOf(requestedAt);
}

/** Whether its tasks are to be started anew: not for a request from before it was said that they should be. */
export function isRequested(
  { request }: { readonly request?: string },
  mark: { readonly request: string | undefined },
): boolean {
  if (request === undefined || request === noRequest) return false;
  return mark.request !== undefined && mark.request !== request;
}
