import { expect } from 'vitest';
import { chosenDeaths, never } from '../compute/dying-process.ts';
import type { Death, DyingProcess } from '../compute/dying-process.ts';
import { isThorough } from '../thorough.ts';
import type { DyingOperator } from './dying-operator.ts';
import type { TestNamespace } from './test-namespace.ts';

export interface CrashScenario {
  readonly what: string;
  /** The provider that it runs on before; undefined: there is no Tenant yet. */
  readonly before?: string;
  /** The change that the operator dies over. */
  readonly act: (ns: TestNamespace, name: string) => Promise<unknown>;
  /** The provider that it runs on afterwards; undefined: it is gone. */
  readonly after: string | undefined;
}

export interface CrashBench<Scenario extends CrashScenario> {
  readonly ns: TestNamespace;
  /** An operator that sees no other Tenant. */
  operator(name: string, death: Death): Promise<DyingOperator>;
  /** Makes the Tenant that is there before. */
  create(name: string, provider: string): Promise<unknown>;
  /** Expects what the change asks for on the engine, and nothing else of the Tenant's. */
  expectChanged(name: string, scenario: Scenario, context: string): Promise<void>;
  /** Expects nothing of the Tenant's on the engine. */
  expectNothing(name: string, context: string): Promise<void>;
}

/** Runs at once; an engine only gets slower beyond. */
const parallel = 8;

/**
 * Lives through the scenario once undisturbed, and once for each death that is chosen of those that one can die in it.
 * Returns the writes that are to be died in, and those that were.
 */
export async function dieEverywhere<Scenario extends CrashScenario>(
  bench: CrashBench<Scenario>,
  scenario: Scenario,
  index: number,
): Promise<{ readonly writes: readonly string[]; readonly places: readonly string[] }> {
  const prefix = scenario.what.replaceAll(/\W+/g, '-');
  const { writes } = await liveThrough(bench, `${prefix}-0`, scenario, never);
  expect(writes.length).toBeGreaterThan(1);
  const chosen = chosenDeaths(index)
    .take(isThorough ? writes.length + 1 : Math.ceil(writes.length / 3))
    .toArray();
  const next = chosen.values();
  const places: string[] = [];
  const dieAt = async (death: Death, name: string): Promise<void> => {
    const life = await liveThrough(bench, `${prefix}-${name}`, scenario, death);
    // A life of fewer writes, as chance would have it, has no such state.
    if (life.hasDied()) places.push(await life.died);
  };
  const worker = async (): Promise<void> => {
    for (const death of next) await dieAt(death, `${death.write}-${death.when}`);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  expect(places.length).toBeGreaterThan(0);
  const reachable = scenario.after === undefined ? untilLetGo(writes) : writes;
  const expected = reachable.filter((_name, at) => chosen.some(({ write }) => write === at + 1));
  // On a slow machine a life writes its status more often, or more seldom, and what follows comes at another count.
  for (const of of new Set(expected)) {
    const name = `first-${of.replaceAll(/\W+/g, '-').toLowerCase()}`;
    if (!places.includes(of)) await dieAt({ write: 1, when: 'after', of }, name);
  }
  // How often a status is written is a matter of pace: a life of its own may have had no such write.
  const isSure = (of: string): boolean => of !== 'PATCH status' || places.includes(of);
  return { writes: expected.filter(isSure), places };
}

/** What is tried on a Tenant that has lost its finalizer reaches nothing. */
function untilLetGo(writes: readonly string[]): readonly string[] {
  return writes.slice(0, writes.indexOf('PATCH tenant') + 1);
}

/** One life that ends in the death, and one after it. Returns the first. */
async function liveThrough<Scenario extends CrashScenario>(
  bench: CrashBench<Scenario>,
  name: string,
  scenario: Scenario,
  death: Death,
): Promise<DyingProcess> {
  const { ns } = bench;
  const live = async (provider: string | undefined): Promise<void> => {
    const operator = await bench.operator(name, never);
    await settled(ns, name, provider);
    await operator.stop();
  };
  if (scenario.before !== undefined) {
    await bench.create(name, scenario.before);
    await live(scenario.before);
  }
  await scenario.act(ns, name);
  const dying = await bench.operator(name, death);
  const { life } = dying;
  await Promise.race([life.died, settled(ns, name, scenario.after)]);
  await dying.stop();
  await live(scenario.after);
  const context = `${scenario.what}: death ${death.when} write ${death.write} of ${life.writes.join(', ')}`;
  await bench.expectChanged(name, scenario, context);
  if (scenario.after !== undefined) {
    await ns.delete(name);
    await live(undefined);
  }
  await bench.expectNothing(name, context);
  return life;
}

async function settled(ns: TestNamespace, name: string, provider: string | undefined): Promise<void> {
  if (provider === undefined) return ns.untilGone(name);
  await ns.until(
    name,
    `Ready on ${provider}`,
    ({ metadata: { generation }, status }) =>
      status?.phase === 'Ready' &&
      status.computeProvider === provider &&
      status.observedGeneration === generation &&
      status.previousPlacements === undefined,
  );
}
