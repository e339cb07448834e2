import { parseConfig } from '../../src/config/load-config.ts';
import { parseTenantSpec, resolveSpec } from '../../src/controller/steps/resolve-spec.ts';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { providerDefinitions, tenantBlocks } from '../../src/compute/registry.ts';
import { dockerOperatorBlock, dockerPolicyBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { dockerProvider } from '../../src/compute/providers/docker/provider.ts';
import type { CreateBody } from '../../src/compute/providers/docker/converge/create-body.ts';
import { context } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { anyPermit } from '../compute/permits.ts';

/** From the manifest of a Tenant to what the engine is asked for, by the way that it takes in the operator. */

type Block = Readonly<Record<string, unknown>>;

export interface Operator {
  /** compute.docker of the operator's config, besides its image. */
  readonly docker?: Block;
  /** policy of the operator's config. */
  readonly policy?: Block;
  readonly engine?: MemoryEngine;
}

const schema = tenantSpecSchema(tenantBlocks);
const never = new AbortController().signal;

/** The requests that create the containers of a Tenant with this spec, by their names. Rejects where it is refused. */
export async function dockerRequests(
  spec: Block,
  { docker = {}, policy = {}, engine = memoryEngine(['app:1', 'db:1']) }: Operator = {},
): Promise<Readonly<Record<string, CreateBody>>> {
  const text = JSON.stringify({ compute: { docker: { image: 'app:1', ...docker } }, policy });
  const config = parseConfig(text, 'config.yaml', { providers: providerDefinitions, environment: {} });
  const block = config.compute['docker'] ?? {};
  const provider = dockerProvider(
    engine,
    dockerOperatorBlock.parse(block),
    dockerPolicyBlock.parse((config.policy as Block)['docker']),
    context({ policy: config.policy }),
  );
  const metadata = { namespace: 'team-a', name: 'acme', uid: 'uid-1' };
  const tenant = { apiVersion: 'landlord.dev/v1alpha1', kind: 'Tenant', metadata, spec } as unknown as Tenant;
  const resolved = await resolveSpec({
    tenant,
    tenantId: 'team-a-acme',
    spec: parseTenantSpec(schema, tenant),
    enabled: { definition: dockerDefinition, provider, block },
    secrets: { value: async () => undefined, registryCredentials: async () => [] } as never,
  });
  const desired = provider.desired(resolved);
  await provider.validate(desired, never);
  await provider.provision(desired, anyPermit, never);
  return Object.fromEntries([...engine.containers.values()].map(({ name, body }) => [name, body]));
}

/** Of a Tenant with one container. */
export async function dockerRequest(
  block: Block,
  operator: Operator = {},
  spec: Block = {},
): Promise<CreateBody> {
  const bodies = await dockerRequests({ computeConfig: { docker: block }, ...spec }, operator);
  const [body] = Object.values(bodies);
  if (body === undefined) throw new Error('nothing was created');
  return body;
}
