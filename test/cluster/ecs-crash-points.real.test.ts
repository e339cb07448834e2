import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ecsOperatorBlock, ecsPolicyBlock } from '../../src/compute/providers/ecs/config.ts';
import { ecsDefinition } from '../../src/compute/providers/ecs/definition.ts';
import { createEcsClient } from '../../src/compute/providers/ecs/engine/ecs-client.ts';
import { ecsProvider } from '../../src/compute/providers/ecs/provider.ts';
import { writeOf } from '../compute/providers/ecs/memory-ecs.ts';
import { dieEverywhere } from './crash-points.ts';
import type { CrashBench, CrashScenario } from './crash-points.ts';
import { startDyingOperator } from './dying-operator.ts';
import type { DyingOperatorOptions } from './dying-operator.ts';
import { openEcsPolicy, startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import { ecsRevisions, ecsServices } from './ecs-belongings.ts';

interface Scenario extends CrashScenario {
  /** How the service in the end differs from the one of `spec`. */
  readonly runs?: Partial<{
    readonly moved: boolean;
    readonly version: string;
    readonly count: number;
    readonly tags: Readonly<Record<string, string>>;
  }>;
}

const containers = (version: string) => [{ name: 'app', image: `registry.example/app:${version}` }];
const tags = { team: 'a', old: 'x' };
const spec = {
  containers: containers('1'),
  computeConfig: { ecs: { desired_count: 1, tags }, mock: {} },
};
const metadata = (name: string, provider: string) => ({ labels: { run: name, compute_provider: provider } });

const scenarios: readonly Scenario[] = [
  { what: 'a creation', act: (ns, name) => ns.create(name, spec, metadata(name, 'ecs')), after: 'ecs' },
  {
    what: 'a rollout',
    before: 'ecs',
    act: (ns, name) => ns.patch(name, { spec: { containers: containers('2') } }),
    after: 'ecs',
    runs: { version: '2' },
  },
  {
    what: 'a change of count and tags',
    before: 'ecs',
    act: (ns, name) =>
      ns.patch(name, {
        spec: { computeConfig: { ecs: { desired_count: 2, tags: { team: 'b', old: null } } } },
      }),
    after: 'ecs',
    runs: { count: 2, tags: { team: 'b' } },
  },
  {
    what: 'a move to another name',
    before: 'ecs',
    act: (ns, name) =>
      ns.patch(name, { spec: { computeConfig: { ecs: { service_name: `moved-${name}` } } } }),
    after: 'ecs',
    runs: { moved: true },
  },
  {
    what: 'a move away from ecs',
    before: 'ecs',
    act: (ns, name) => ns.patch(name, { metadata: { labels: { compute_provider: 'mock' } } }),
    after: 'mock',
  },
  {
    what: 'a deletion',
    before: 'ecs',
    act: (ns, name) => ns.delete(name),
    after: undefined,
  },
];

describe('an operator that dies before its first write, to ECS or the apiserver, or in any of them', () => {
  let bench: EcsBench;
  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'ecs-crash' });
  });
  afterAll(() => bench?.close());

  const provider: DyingOperatorOptions['provider'] = (life, context) => {
    const block = ecsOperatorBlock.parse(bench.block);
    const policy = ecsPolicyBlock.parse(openEcsPolicy);
    const api = createEcsClient({ block, policy, logger: context.logger });
    const ecs = ecsProvider(life.seeing(api, writeOf), block, policy, context);
    return { definition: ecsDefinition, provider: ecs, block };
  };

  const crashBench = (): CrashBench<Scenario> => ({
    ns: bench.ns,
    operator: (name, death) =>
      startDyingOperator({ namespace: bench.ns.name, selector: `run=${name}`, death, provider }),
    create: (name, provider) => bench.ns.create(name, spec, metadata(name, provider)),
    async expectChanged(name, { after, runs = {} }, context) {
      if (after !== 'ecs') return crashBench().expectNothing(name, context);
      const { moved = false, version = '1', count = 1, tags: wantedTags = tags } = runs;
      const wanted = {
        name: moved ? `moved-${name}` : bench.serviceName(name),
        status: 'ACTIVE',
        desired: count,
        running: count,
        tags: wantedTags,
      };
      const services = await ecsServices(bench, name);
      expect(
        services.map(({ taskDefinition: _arn, ...service }) => service),
        context,
      ).toEqual([wanted]);
      // Registered once: the next process finds the one of the dead. What ran before may stay for a while.
      const inUse = services[0]?.taskDefinition ?? '';
      const revisions = await ecsRevisions(bench, name);
      expect(revisions.get(inUse), context).toEqual([`registry.example/app:${version}`]);
      const before = inUse.replace(/:2$/, ':1');
      expect([[before, inUse], [inUse]], context).toContainEqual([...revisions.keys()].toSorted());
      expect(inUse, context).toMatch(new RegExp(`:${version}$`));
    },
    async expectNothing(name, context) {
      expect(await ecsServices(bench, name), context).toEqual([]);
      expect([...(await ecsRevisions(bench, name)).keys()], context).toEqual([]);
    },
  });

  test.each(scenarios.map((scenario, index) => [scenario.what, scenario, index] as const))(
    'over %s leaves what was asked for, one of everything, once another operator has come',
    { timeout: 240_000 },
    async (_what, scenario, index) => {
      const { places, writes } = await dieEverywhere(crashBench(), scenario, index);
      expect(places).toEqual(expect.arrayContaining([...writes]));
    },
  );
});
