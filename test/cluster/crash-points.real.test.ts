import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { dockerOperatorBlock, dockerPolicyBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { createEngineClient } from '../../src/compute/providers/docker/engine/engine-client.ts';
import { dockerProvider } from '../../src/compute/providers/docker/provider.ts';
import { writeOf } from '../compute/providers/docker/memory-engine.ts';
import { dieEverywhere } from './crash-points.ts';
import type { CrashBench, CrashScenario } from './crash-points.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { startDyingOperator } from './dying-operator.ts';
import type { DyingOperatorOptions } from './dying-operator.ts';
import { runningContainers } from './running-containers.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';

interface Scenario extends CrashScenario {
  /** How the container that runs in the end differs from the one of `spec`. */
  readonly runs?: { readonly version?: string; readonly env?: readonly string[]; readonly memory?: number };
}

const spec = { computeConfig: { docker: { volumes: ['data:/data'] }, mock: {} }, volumePolicy: 'Delete' };
const metadata = (name: string, provider: string) => ({ labels: { run: name, compute_provider: provider } });

describe('an operator that dies before its first write or in any of them', () => {
  const view = engineView();
  let ns: TestNamespace;
  const image = (version: string): string => `${inject('registryAddress')}/${ns.name}:${version}`;

  beforeAll(async () => {
    ns = await createTestNamespace('crash');
    for (const tag of ['1', '2']) {
      await pushImage({ address: inject('registryAddress') }, { repository: ns.name, tag });
      const pull = await view.docker.pull(image(tag));
      await new Promise((done) => view.docker.modem.followProgress(pull, done));
    }
  });
  afterAll(async () => {
    await ns.remove();
    await view.clear(ns.name);
  });

  const scenarios: readonly Scenario[] = [
    {
      what: 'a creation',
      act: (ns, name) => ns.create(name, spec, metadata(name, 'docker')),
      after: 'docker',
    },
    {
      what: 'an update by replacement',
      before: 'docker',
      act: (ns, name) =>
        ns.patch(name, { spec: { computeConfig: { docker: { image: image('2'), env: { ROLLED: '1' } } } } }),
      after: 'docker',
      runs: { version: '2', env: ['ROLLED=1'] },
    },
    {
      what: 'a live update',
      before: 'docker',
      act: (ns, name) => ns.patch(name, { spec: { resources: { memory: '64Mi' } } }),
      after: 'docker',
      runs: { memory: 64 * 1024 * 1024 },
    },
    {
      what: 'a move away from docker',
      before: 'docker',
      act: (ns, name) => ns.patch(name, { metadata: { labels: { compute_provider: 'mock' } } }),
      after: 'mock',
    },
    {
      what: 'a move to docker',
      before: 'mock',
      act: (ns, name) => ns.patch(name, { metadata: { labels: { compute_provider: 'docker' } } }),
      after: 'docker',
    },
    {
      what: 'a deletion',
      before: 'docker',
      act: (ns, name) => ns.delete(name),
      after: undefined,
    },
  ];

  const provider: DyingOperatorOptions['provider'] = (life, context) => {
    const block = dockerOperatorBlock.parse(dockerBlock(image('1')));
    const engine = createEngineClient({ host: block.host, logger: context.logger });
    const docker = dockerProvider(life.seeing(engine, writeOf), block, dockerPolicyBlock.parse({}), context);
    return { definition: dockerDefinition, provider: docker, block };
  };

  const bench = (): CrashBench<Scenario> => ({
    ns,
    operator: (name, death) =>
      startDyingOperator({ namespace: ns.name, selector: `run=${name}`, death, provider }),
    create: (name, provider) => ns.create(name, spec, metadata(name, provider)),
    async expectChanged(name, { after, runs = {} }, context) {
      const id = defaultTenantId(ns.name, name);
      const base = `landlord-${id}`;
      if (after === undefined) return bench().expectNothing(name, context);
      if (after === 'mock') {
        // What was left keeps its data until the Tenant goes.
        return expect(await view.leftovers(ns.name, name), context).toEqual([`volume ${base}_data`]);
      }
      const { version = '1', env = [], memory = 0 } = runs;
      const wanted = { state: 'running', image: image(version), env, memory, volumes: ['/data'] };
      expect(await runningContainers(view, ns.name, name), context).toEqual([wanted]);
      expect(await view.leftovers(ns.name, name), context).toEqual([
        `container /landlord-tenant-${id}`,
        `network ${base}`,
        `volume ${base}_data`,
      ]);
    },
    async expectNothing(name, context) {
      expect(await view.leftovers(ns.name, name), context).toEqual([]);
    },
  });

  test.each(scenarios.map((scenario, index) => [scenario.what, scenario, index] as const))(
    'over %s leaves what was asked for, one of everything, once another operator has come',
    { timeout: 240_000 },
    async (_what, scenario, index) => {
      const { places, writes } = await dieEverywhere(bench(), scenario, index);
      expect(places).toEqual(expect.arrayContaining([...writes]));
    },
  );
});
