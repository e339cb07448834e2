import type { EngineRequest } from './engine-transport.ts';
import type { Engine } from './engine.ts';

/** What an engine must know to make this container: one that does not would mount the whole volume. */
export function neededBy({ HostConfig }: Parameters<Engine['createContainer']>[1]): EngineRequest['needs'] {
  const isPart = (HostConfig?.Mounts ?? []).some(
    ({ VolumeOptions }) => VolumeOptions !== undefined && 'Subpath' in VolumeOptions,
  );
  return isPart ? { what: 'subPath of a volume needs Docker Engine 26 or newer', api: '1.45' } : undefined;
}
