import { tenantSpecSchema } from '../../src/api/tenant.ts';
import type { EnabledProviders } from '../../src/compute/selection/enabled-providers.ts';
import type { Provider } from '../../src/compute/provider.ts';
import type { Engine } from '../../src/compute/providers/docker/engine/engine.ts';
import { dockerTenantBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { drivenDocker, settings } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { startController } from './controller-fixture.ts';
import type { FixtureOptions } from './controller-fixture.ts';

const specSchema = tenantSpecSchema({ docker: dockerTenantBlock });
export const sweepMs = 300_000;

/** How often each call was made since the last time that this was asked. */
function counted(engine: Engine): { readonly engine: Engine; take(this: void): Record<string, number> } {
  let counts: Record<string, number> = {};
  const proxy = new Proxy(engine, {
    get(target, key) {
      const member = Reflect.get(target, key) as unknown;
      if (typeof member !== 'function' || typeof key !== 'string') return member;
      return (...args: unknown[]) => {
        counts[key] = (counts[key] ?? 0) + 1;
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return {
    engine: proxy,
    take() {
      const taken = counts;
      counts = {};
      return taken;
    },
  };
}

/** The real controller over the real provider for Docker, with its watch, on an engine in memory whose calls are counted. */
export async function operator(memory = memoryEngine(['app:1', 'app:2']), over: FixtureOptions = {}) {
  const { engine, take } = counted(memory);
  const { block: operators } = settings();
  const provider = drivenDocker(engine, settings(), { settleMs: 3_000, sweepIntervalMs: sweepMs }).bare;
  const enabled = {
    definition: dockerDefinition,
    provider: provider as unknown as Provider,
    block: operators,
  };
  const providers: EnabledProviders = new Map([['docker', enabled]]);
  const fixture = await startController([], { specSchema, providers, ...over });
  await fixture.pass(1_000);
  return { ...fixture, memory, take, started: take() };
}
