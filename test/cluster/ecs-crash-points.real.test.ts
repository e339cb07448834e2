import { ListTaskDefinitionsCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Death } from './dying-operator.ts';
import { startEcsBench, tagsOf } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import { startEcsDyingOperator } from './ecs-dying-operator.ts';
import type { TestNamespace } from './test-namespace.ts';

/** Runs at once. */
const parallel = 8;
const never: Death = { call: Infinity, when: 'before' };

interface Scenario {
  readonly what: string;
  /** The provider that it runs on before; undefined: there is no Tenant yet. */
  readonly before?: string;
  /** The change that the operator dies over. */
  readonly act: (ns: TestNamespace, name: string) => Promise<unknown>;
  /** The provider that it runs on afterwards; undefined: it is gone. */
  readonly after: string | undefined;
}

interface Life {
  readonly calls: readonly string[];
  /** The call that it died at; `nowhere`: it had no need of so many. */
  readonly where: string;
}

const containers = (version: string) => [{ name: 'app', image: `registry.example/app:${version}` }];
const spec = {
  containers: containers('1'),
  computeConfig: { ecs: { desired_count: 1, tags: { team: 'a', old: 'x' } }, mock: {} },
};
const metadata = (name: string, provider: string) => ({ labels: { run: name, compute_provider: provider } });

const scenarios: readonly Scenario[] = [
  { what: 'a creation', act: (ns, name) => ns.create(name, spec, metadata(name, 'ecs')), after: 'ecs' },
  {
    what: 'a rollout',
    before: 'ecs',
    act: (ns, name) => ns.patch(name, { spec: { containers: containers('2') } }),
    after: 'ecs',
  },
  {
    what: 'a change of count and tags',
    before: 'ecs',
    act: (ns, name) =>
      ns.patch(name, {
        spec: { computeConfig: { ecs: { desired_count: 2, tags: { team: 'b', old: null } } } },
      }),
    after: 'ecs',
  },
  {
    what: 'a move to another name',
    before: 'ecs',
    act: (ns, name) =>
      ns.patch(name, { spec: { computeConfig: { ecs: { service_name: `moved-${name}` } } } }),
    after: 'ecs',
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

describe('an operator that dies before or after any call to ECS', () => {
  let bench: EcsBench;
  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'ecs-crash' });
  });
  afterAll(() => bench?.close());

  const operator = (name: string, death: Death) =>
    startEcsDyingOperator({
      namespace: bench.ns.name,
      selector: `run=${name}`,
      block: bench.block,
      death,
    });

  const settled = async (name: string, after: string | undefined): Promise<void> => {
    if (after === undefined) return bench.ns.untilGone(name, 30_000);
    await bench.ns.until(
      name,
      `Ready on ${after}`,
      ({ metadata: { generation }, status }) =>
        status?.phase === 'Ready' &&
        status.computeProvider === after &&
        status.observedGeneration === generation &&
        status.previousPlacements === undefined,
      30_000,
    );
  };

  const servicesOf = async (name: string) =>
    (await bench.services()).filter((service) => tagsOf(service)['landlord.tenant_name'] === name);
  /** Revisions of families of the tenant's own. */
  const revisionsOf = async (name: string): Promise<string[]> => {
    const { taskDefinitionArns = [] } = await bench.fixture.client.send(
      new ListTaskDefinitionsCommand({ status: 'ACTIVE' }),
    );
    return taskDefinitionArns.filter((arn) => new RegExp(`${name}[^a-z0-9]`).test(arn));
  };

  /** One life with a death and one without after it. Returns the calls of the first, and where it died. */
  const liveThrough = async (name: string, scenario: Scenario, death: Death): Promise<Life> => {
    const { ns } = bench;
    if (scenario.before !== undefined) {
      const first = await operator(name, never);
      await ns.create(name, spec, metadata(name, scenario.before));
      await settled(name, scenario.before);
      await first.stop();
    }
    await scenario.act(ns, name);
    const dying = await operator(name, death);
    const where = await Promise.race([dying.died, settled(name, scenario.after).then(() => 'nowhere')]);
    await dying.stop();
    const next = await operator(name, never);
    await settled(name, scenario.after);
    await next.stop();
    const context = `${scenario.what}, died ${death.when} call ${death.call} (${where})`;
    const expected = scenario.after === 'ecs' ? 1 : 0;
    const services = await servicesOf(name);
    expect(
      services.map(({ serviceName, status }) => `${serviceName} ${status}`),
      context,
    ).toHaveLength(expected);
    for (const { runningCount, desiredCount } of services) expect(runningCount, context).toBe(desiredCount);
    if (scenario.after === 'ecs') expect(await revisionsOf(name), context).not.toEqual([]);
    if (scenario.after !== undefined) {
      await ns.tenants.delete(name, ns.name);
      const last = await operator(name, never);
      await settled(name, undefined);
      await last.stop();
    }
    expect(await servicesOf(name), context).toEqual([]);
    expect(await revisionsOf(name), context).toEqual([]);
    return { calls: dying.calls, where };
  };

  test.each(scenarios.map((scenario) => [scenario.what, scenario] as const))(
    'over %s leaves one of everything, once another operator has come',
    { timeout: 240_000 },
    async (what, scenario) => {
      const prefix = what.replaceAll(/\W+/g, '-');
      const { calls } = await liveThrough(`${prefix}-0`, scenario, never);
      expect(calls.length).toBeGreaterThan(1);
      const deaths = calls.flatMap((_, index) =>
        (['before', 'after'] as const).map((when): Death => ({ call: index + 1, when })),
      );
      const next = deaths[Symbol.iterator]();
      const places = new Set<string>();
      const worker = async (): Promise<void> => {
        for (const death of next)
          places.add((await liveThrough(`${prefix}-${death.call}-${death.when}`, scenario, death)).where);
      };
      await Promise.all(Array.from({ length: parallel }, worker));
      expect([...places]).toEqual(expect.arrayContaining([...new Set(calls)]));
    },
  );
});
