import type { DesiredContainer } from './desired-tenant.ts';
import { sharesImageVolume } from './volumes/image-volumes.ts';
import { possibleSources } from './volumes/parse-volumes.ts';
import type { ObservedContainer } from './observed-container.ts';
import { isRelease } from './release/release-mark.ts';

/**
 * Whether the two can't run at the same time: they'd publish one port, or write to one volume. A release is made to run beside what
 * serves, with its data.
 */
export function excludes(desired: DesiredContainer, old: ObservedContainer): boolean {
  if (desired.release !== undefined || isRelease(old)) return false;
  if (sharesImageVolume(desired, old)) return true;
  const held = old.inspected;
  if (held === undefined) return false;
  const ports = (desired.spec.ports ?? []).flatMap(({ hostPort, protocol }) =>
    hostPort === undefined ? [] : [`${hostPort}/${protocol.toLowerCase()}`],
  );
  const published = old.ports.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`);
  const volumes = desired.volumes.filter(({ readOnly }) => !readOnly).flatMap(possibleSources);
  const hostNetwork = desired.network.kind === 'mode' && desired.network.name === 'host';
  return (
    ports.some((port) => held.fixedPorts.includes(port) || published.includes(port)) ||
    volumes.some((source) => held.writableMounts.includes(source)) ||
    (hostNetwork && held.networkMode === 'host')
  );
}
