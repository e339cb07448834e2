import { writes } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

type Call = (...args: unknown[]) => Promise<unknown>;

/**
 * What is written to an engine from now on, in order, with containers by the names that they have at that time:
 * `rename landlord-tenant-acme landlord-tenant-acme_old`.
 */
export function recordedChanges(engine: MemoryEngine): string[] {
  const changes: string[] = [];
  const said = (arg: unknown): readonly string[] => {
    if (typeof arg === 'string')
      return [engine.containers.get(arg)?.name ?? engine.networks.get(arg)?.Name ?? arg];
    if (typeof arg === 'number') return [`${arg}`];
    if (typeof arg === 'object' && arg !== null && 'Name' in arg) return [String(arg.Name)];
    return [];
  };
  for (const name of writes) {
    const calls = engine as unknown as Record<string, Call>;
    const call = calls[name]?.bind(engine);
    calls[name] = async (...args) => {
      const body = name === 'updateContainer' ? [JSON.stringify(args[1])] : [];
      changes.push([name.replace('Container', ''), ...args.flatMap(said), ...body].join(' '));
      return call?.(...args);
    };
  }
  return changes;
}
