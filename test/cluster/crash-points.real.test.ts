import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { engineView } from './docker-tenants.ts';
import { startDyingOperator } from './dying-operator.ts';
import type { Death } from './dying-operator.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';

/** Runs at once; the engine only gets slower beyond. */
const parallel = 8;
const never: Death = { call: Infinity, when: 'before' };

interface Scenario {
  readonly what: string;
  /** Labels and image of the Tenant before; undefined: there is none yet. */
  readonly before?: { readonly provider: string };
  /** The change that the operator dies over. */
  readonly act: (ns: TestNamespace, name: string) => Promise<unknown>;
  /** The provider that it runs on afterwards; undefined: it is gone. */
  readonly after: string | undefined;
}

const spec = { computeConfig: { docker: { volumes: ['data:/data'] }, mock: {} } };
const metadata = (name: string, provider: string) => ({ labels: { run: name, compute_provider: provider } });

const scenarios: readonly Scenario[] = [
  { what: 'a creation', act: (ns, name) => ns.create(name, spec, metadata(name, 'docker')), after: 'docker' },
  {
    what: 'an update by replacement',
    before: { provider: 'docker' },
    act: (ns, name) => ns.patch(name, { spec: { computeConfig: { docker: { env: { ROLLED: '1' } } } } }),
    after: 'docker',
  },
  {
    what: 'a live update',
    before: { provider: 'docker' },
    act: (ns, name) => ns.patch(name, { spec: { resources: { memory: '64Mi' } } }),
    after: 'docker',
  },
  {
    what: 'a move away from docker',
    before: { provider: 'docker' },
    act: (ns, name) => ns.patch(name, { metadata: { labels: { compute_provider: 'mock' } } }),
    after: 'mock',
  },
  {
    what: 'a move to docker',
    before: { provider: 'mock' },
    act: (ns, name) => ns.patch(name, { metadata: { labels: { compute_provider: 'docker' } } }),
    after: 'docker',
  },
  {
    what: 'a deletion',
    before: { provider: 'docker' },
    act: (ns, name) => ns.delete(name),
    after: undefined,
  },
];

describe('an operator that dies before or after any call', () => {
  const view = engineView();
  let ns: TestNamespace;
  let image: string;

  beforeAll(async () => {
    ns = await createTestNamespace('crash');
    image = await pushImage({ address: inject('registryAddress') }, { repository: ns.name, tag: '1' });
    await view.docker
      .pull(image)
      .then((stream) => new Promise((done) => view.docker.modem.followProgress(stream, done)));
  });
  afterAll(async () => {
    await ns.remove();
    for (const { Id } of await view.containers(ns.name))
      await view.docker.getContainer(Id).remove({ force: true });
  });

  const operator = (name: string, death: Death) =>
    startDyingOperator({ namespace: ns.name, selector: `run=${name}`, image, death });

  const settled = async (name: string, after: string | undefined): Promise<void> => {
    if (after === undefined) return ns.untilGone(name, 20_000);
    await ns.until(
      name,
      `Ready on ${after}`,
      ({ metadata: { generation }, status }) =>
        status?.phase === 'Ready' &&
        status.computeProvider === after &&
        status.observedGeneration === generation &&
        status.previousPlacements === undefined,
      20_000,
    );
  };

  /** One life with a death and one without after it. Returns the calls of the first. */
  const liveThrough = async (name: string, scenario: Scenario, death: Death): Promise<readonly string[]> => {
    if (scenario.before !== undefined) {
      const first = await operator(name, never);
      await ns.create(name, spec, metadata(name, scenario.before.provider));
      await settled(name, scenario.before.provider);
      await first.stop();
    }
    await scenario.act(ns, name);
    const dying = await operator(name, death);
    const where = await Promise.race([dying.died, settled(name, scenario.after).then(() => 'nowhere')]);
    await dying.stop();
    const next = await operator(name, never);
    await settled(name, scenario.after);
    await next.stop();
    const left = await view.leftovers(ns.name, name);
    const context = `${scenario.what}, died ${death.when} call ${death.call} (${where}), left ${left.join(', ')}`;
    const expected = scenario.after === 'docker' ? 2 : 0;
    expect(left.length, context).toBe(expected);
    for (const { State } of await view.containers(ns.name, name)) expect(State, context).toBe('running');
    if (scenario.after !== undefined) {
      await ns.tenants.delete(name, ns.name);
      const last = await operator(name, never);
      await settled(name, undefined);
      await last.stop();
      expect(await view.leftovers(ns.name, name), context).toEqual([]);
    }
    return dying.calls;
  };

  test.each(scenarios.map((scenario) => [scenario.what, scenario] as const))(
    'over %s leaves one of everything, once another operator has come',
    { timeout: 240_000 },
    async (what, scenario) => {
      const prefix = what.replaceAll(/\W+/g, '-');
      const calls = await liveThrough(`${prefix}-0`, scenario, never);
      expect(calls.length).toBeGreaterThan(1);
      const deaths = calls.flatMap((_, index) =>
        (['before', 'after'] as const).map((when): Death => ({ call: index + 1, when })),
      );
      const next = deaths[Symbol.iterator]();
      const worker = async (): Promise<void> => {
        for (const death of next) await liveThrough(`${prefix}-${death.call}-${death.when}`, scenario, death);
      };
      await Promise.all(Array.from({ length: parallel }, worker));
    },
  );
});
