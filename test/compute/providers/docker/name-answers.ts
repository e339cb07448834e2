import { resolve, writes } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

/** The id of the container that is called so. */
export function idOf(engine: MemoryEngine, name: string): string {
  return [...engine.containers.values()].find((container) => container.name === name)?.id ?? 'gone';
}

/** What the name leads to in the network after each change, from now on: ids, without repetitions. */
export function answersOf(
  engine: MemoryEngine,
  { network, name }: { readonly network: string; readonly name: string },
): (readonly string[])[] {
  const answers: (readonly string[])[] = [];
  const calls = engine as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const look = (): void => {
    const ids = resolve(engine, network, name).map((found) => idOf(engine, found));
    if (answers.at(-1)?.join() !== ids.join()) answers.push(ids);
  };
  look();
  for (const write of writes) {
    const call = calls[write]?.bind(engine);
    calls[write] = async (...args) => {
      const result = await call?.(...args);
      look();
      return result;
    };
  }
  return answers;
}
