import { ComputeError } from '../../../../errors.ts';

/** Throws PolicyDenied where a tenant's label would be one that marks the owner. */
export function checkLabels(labels: Readonly<Record<string, string>>, prefix: string, key = 'labels'): void {
  const taken = Object.keys(labels).find((label) => label.startsWith(prefix));
  if (taken === undefined) return;
  throw new ComputeError(
    'PolicyDenied',
    `spec.computeConfig.docker.${key}: ${taken} starts with ${prefix}, which marks the owner. Name it otherwise`,
  );
}
