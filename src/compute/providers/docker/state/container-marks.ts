import { ComputeError } from '../../../errors.ts';
import { hostPortsMark } from './network/host-ports.ts';
import { orderMark } from './process/start-order-mark.ts';
import { graceMark } from './process/stop-grace.ts';

/** The marks among a container's labels: nothing is asked of any other. */
export const containerMarks: ReadonlySet<string> = new Set([
  'owner',
  'cluster',
  'provider',
  'tenant_id',
  'tenant_namespace',
  'tenant_name',
  'tenant_uid',
  'container',
  'image',
  'spec_hash',
  'live',
  hostPortsMark,
  graceMark,
  orderMark,
]);

/** Throws PolicyDenied where a tenant's own label could be taken for one of them. */
export function checkLabels(labels: Readonly<Record<string, string>>, prefix: string): void {
  const taken = Object.keys(labels).find((label) => label.startsWith(prefix));
  if (taken === undefined) return;
  throw new ComputeError(
    'PolicyDenied',
    `spec.computeConfig.docker.labels: ${taken} starts with ${prefix}, which marks the owner. Name it otherwise`,
  );
}
