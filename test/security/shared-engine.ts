import type { Engine } from '../../src/compute/providers/docker/engine/engine.ts';
import type { DesiredTenant } from '../../src/compute/providers/docker/state/desired-tenant.ts';
import type { Provider, StepResult } from '../../src/compute/provider.ts';
import { anyPermit } from '../compute/permits.ts';
import { dockerManifests } from './docker-operator.ts';
import type { DockerManifestsOptions } from './docker-operator.ts';

/** Tenants of different people on one engine, each in a namespace of its own. Their ids are their names. */

type Block = Readonly<Record<string, unknown>>;

export interface SharedEngine {
  readonly provider: Provider<DesiredTenant>;
  /** One pass over it, with the operator's consent to all. Rejects where it is refused. */
  readonly apply: (name: string, spec?: Block) => Promise<StepResult>;
}

export type Config = Omit<DockerManifestsOptions, 'engine'>;

const never = new AbortController().signal;

export function sharedEngine(engine: Engine, { docker = {}, ...config }: Config = {}): SharedEngine {
  const { provider, desired } = dockerManifests({ ...config, docker: { image: 'app:1', ...docker }, engine });
  return {
    provider,
    async apply(name, spec = {}) {
      const { tenantId = name } = spec as { tenantId?: string };
      const wanted = await desired({ namespace: `of-${name}`, name, spec, tenantId });
      await provider.validate(wanted, never);
      return provider.update(wanted, anyPermit, never);
    },
  };
}

/** `computeConfig.docker` of a manifest. */
export function withBlock(docker: Block): Block {
  return { computeConfig: { docker } };
}

/** A manifest with so many containers. */
export function withContainers(...names: readonly string[]): Block {
  return { containers: names.map((name) => ({ name, image: 'app:1' })) };
}
