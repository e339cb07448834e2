import type { CreateBody } from '../../src/compute/providers/docker/converge/create-body.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { dockerOperator } from './docker-operator.ts';
import type { DockerOperatorOptions } from './docker-operator.ts';

/** The requests that create the containers of one Tenant with this spec. Throws what the Tenant is told where there are none. */
export async function dockerRequests(
  spec: object,
  { engine = memoryEngine(['app:1', 'db:1']), docker, policy }: DockerOperatorOptions = {},
): Promise<readonly CreateBody[]> {
  const operator = dockerOperator({ docker: { image: 'app:1', ...docker }, policy: policy ?? {}, engine });
  const told = await operator.apply('team-a', spec);
  const bodies = Object.values(operator.requests());
  if (bodies.length === 0) throw new Error(told);
  return bodies;
}

/** Of a Tenant with one container, whose block says so. */
export async function dockerRequest(block: object, options?: DockerOperatorOptions): Promise<CreateBody> {
  const [body] = await dockerRequests({ computeConfig: { docker: block } }, options);
  if (body === undefined) throw new Error('nothing was created');
  return body;
}
