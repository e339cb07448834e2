import { engineKey } from '../../../../../api/names.ts';
import { ComputeError } from '../../../../errors.ts';
import { denied } from '../../../../policy.ts';
import type { DockerConfig, DockerOperatorBlock, DockerPolicy } from '../../config.ts';

interface Asked {
  readonly config: Pick<DockerConfig, 'engine'>;
  readonly block: Pick<DockerOperatorBlock, 'engine' | 'engines'>;
  readonly policy: Pick<DockerPolicy, 'allowed_engines'>;
}

const where = `spec.computeConfig.docker.engine (or the label ${engineKey})`;

/** Throws PolicyDenied where the tenant may not have the engine that it asks for, InvalidSpec where there is none. */
export function checkEngine({ config: { engine }, block, policy: { allowed_engines } }: Asked): void {
  if (engine === undefined || engine === block.engine) return;
  const isAllowed = (name: string): boolean => allowed_engines.some((one) => one === '*' || one === name);
  const choice = Object.keys(block.engines).filter((name) => name === block.engine || isAllowed(name));
  const names = choice.length === 0 ? 'no other than that of compute.docker.host' : choice.join(', ');
  if (!isAllowed(engine))
    throw denied('docker.allowed_engines', `${where} is ${engine}`, `Pick an allowed one (${names})`);
  if (Object.hasOwn(block.engines, engine)) return;
  throw new ComputeError('InvalidSpec', `${where}: this operator has no engine "${engine}"; it has ${names}`);
}
