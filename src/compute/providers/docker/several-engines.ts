import type { Placement } from '../../../api/status.ts';
import { resolvedImages } from '../../spec/resolved-images.ts';
import type { Destination, Provider } from '../../provider.ts';
import type { TenantComputeSpec } from '../../spec/tenant-compute-spec.ts';
import type { DockerConfig } from './config.ts';
import { engineIdOf, isSameEngine } from './engine/engine-id.ts';
import type { EngineId } from './engine/engine-id.ts';
import type { DesiredTenant } from './state/desired-tenant.ts';
import type { EngineIdentity } from './watch/places/engine-identity.ts';

/** The provider of one engine, and how it is known that something is there. */
export interface EngineProvider extends Provider<DesiredTenant> {
  readonly reach: {
    readonly address: string;
    readonly formerHosts: readonly string[];
    readonly identity: Pick<EngineIdentity, 'last' | 'known'>;
  };
}

/**
 * Several engines, by name; '' is the block's own. Each has a provider to itself, and with it its own watch, memories and
 * health: what happens to one is nothing to the others. What is desired names its engine by its domain, and a place by the
 * engine's id.
 */
export function severalEngines(engines: ReadonlyMap<string, EngineProvider>): Provider<DesiredTenant> {
  const own = engines.get('') as EngineProvider;
  const all = [...engines.values()];
  const named = (name: unknown): EngineProvider => engines.get(name as string) ?? own;
  const at = whereabouts(engines, own);
  const each = <T>(operation: (provider: EngineProvider, name: string) => Promise<T>): Promise<T[]> =>
    Promise.all([...engines].map(async ([name, provider]) => operation(provider, name)));

  return {
    name: own.name,
    domains: [...engines.keys()],
    // One that there is none of is for any of them to refuse.
    desired: (spec) => named((spec as TenantComputeSpec<DockerConfig>).config.engine).desired(spec),
    resolveImages: async (spec, signal) =>
      resolvedImages(named((spec as TenantComputeSpec<DockerConfig>).config.engine), spec, signal),
    domainOf: (destination) => domainOf(engines, at, destination),
    async locate(placement, signal) {
      const provider =
        engineIdOf(placement) === undefined ? engines.get(placement.engine ?? '') : at.known(placement);
      return (await provider?.locate?.(placement, signal)) ?? placement;
    },
    validate: async (desired, signal) => named(desired.domain).validate(desired, signal),
    provision: async (desired, permit, signal) => named(desired.domain).provision(desired, permit, signal),
    update: async (desired, permit, signal) => named(desired.domain).update(desired, permit, signal),
    hold: async (desired, permit, signal) => named(desired.domain).hold(desired, permit, signal),
    destroy: async (place, permit, signal) =>
      (await at.found(place.placement, signal)).destroy(place, permit, signal),
    async getStatus(place, against, how) {
      const provider =
        against === undefined ? await at.found(place.placement, how.signal) : named(against.domain);
      return provider.getStatus(place, against, how);
    },
    capacity: () => all.flatMap((provider) => provider.capacity?.() ?? []),
    ...(own.collectImages && {
      collectImages: async (...asking: Parameters<NonNullable<Provider['collectImages']>>) =>
        named(asking[2]).collectImages?.(...asking),
    }),
    list: async (signal, domain) =>
      domain === undefined
        ? (await each(async (provider) => provider.list(signal))).flat()
        : named(domain).list(signal),
    async watch(onChange, signal) {
      await each(async (provider, name) =>
        provider.watch((tenantId, why) => onChange(tenantId, why, name), signal),
      );
    },
    async close() {
      await Promise.all(all.map(async (provider) => provider.close()));
    },
  };
}

interface Whereabouts {
  /** The engine of a placement, as far as that is known by now. */
  known(placement: Placement): EngineProvider | undefined;
  /** The same, with the engines asked that have not told yet which one they are. The block's own says of others why not. */
  found(placement: Placement, signal: AbortSignal): Promise<EngineProvider>;
}

function whereabouts(engines: ReadonlyMap<string, EngineProvider>, own: EngineProvider): Whereabouts {
  const all = [...engines.values()];
  const isIt = (id: EngineId, { reach }: EngineProvider): boolean => isSameEngine(reach.identity.last, id);
  const known = (placement: Placement): EngineProvider | undefined => {
    const id = engineIdOf(placement);
    // Written when there was one engine only.
    if (id === undefined) return engines.get(placement.engine ?? '');
    return all.find((one) => isIt(id, one)) ?? all.find(({ reach }) => reach.address === placement.host);
  };
  return {
    known,
    async found(placement, signal) {
      const id = engineIdOf(placement);
      const found = known(placement) ?? (id && (await met(all, id, signal)));
      const { host = '' } = placement;
      return found ?? all.find(({ reach }) => reach.formerHosts.includes(host)) ?? own;
    },
  };
}

/** The first that says that it is the one: others may not answer. */
async function met(
  engines: readonly EngineProvider[],
  id: EngineId,
  signal: AbortSignal,
): Promise<EngineProvider | undefined> {
  const asked = engines
    .filter(({ reach }) => reach.identity.last === undefined)
    .map(async (one) => {
      if (!isSameEngine(await one.reach.identity.known(signal), id)) throw new Error('another one');
      return one;
    });
  return Promise.any(asked).catch(() => undefined);
}

/** See `Provider.domainOf`. */
function domainOf(
  engines: ReadonlyMap<string, EngineProvider>,
  at: Whereabouts,
  { config, placement }: Destination,
): string | undefined {
  if (config !== undefined) {
    const name = config['engine'] ?? '';
    return typeof name === 'string' && engines.has(name) ? name : undefined;
  }
  const there = placement && at.known(placement);
  const name = [...engines].find(([, provider]) => provider === there)?.[0] ?? placement?.engine;
  return name !== undefined && engines.has(name) ? name : undefined;
}
