import { ComputeError } from '../../../errors.ts';
import type { EngineReads } from '../engine/engine.ts';
import { assertHostPaths } from './host-paths.ts';
import type { DesiredTenant } from '../state/desired-tenant.ts';

/** A container that is to be joined must be there, or InvalidSpec; a path of the host what it was allowed as, or PolicyDenied. */
export async function validateTenant(
  engine: EngineReads,
  { containers }: DesiredTenant,
  signal: AbortSignal,
): Promise<void> {
  await assertHostPaths(engine, containers[0]?.volumes ?? []);
  const modes = new Set(containers.map(({ network: { kind, name } }) => (kind === 'mode' ? name : '')));
  for (const mode of modes) {
    const [, joined] = mode.split('container:');
    if (joined === undefined || (await engine.inspectContainer(joined, signal)) !== undefined) continue;
    throw new ComputeError(
      'InvalidSpec',
      `spec.computeConfig.docker.network_mode: there is no container ${joined} on the engine to join`,
    );
  }
}
