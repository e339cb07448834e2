import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { pushImage } from '../../dev/images.ts';
import { atMost } from '../../src/async/at-most.ts';
import { tenantBlocks } from '../../src/compute/registry.ts';
import { runOffline } from '../../src/convert/command.ts';
import { engineView, dockerBlock } from './docker-tenants.ts';
import { hasNoGap, isJob, neededSecrets, patientCheck, withStandIns } from './stand-ins.ts';
import type { ConvertedContainer, ConvertedSpec, Manifest } from './stand-ins.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';
import { isThorough } from '../thorough.ts';
import { until } from '../until.ts';

const corpus = join(import.meta.dirname, '../corpus');

/** What is up is asked for its health all the time: with all files at once, that is what the engine is busy with. */
const filesAtOnce = 8;

interface Converted {
  /** Of the Tenant: as its file, or its folder. */
  readonly name: string;
  readonly spec: ConvertedSpec;
  readonly besides: readonly Manifest[];
}

/** By `landlord convert compose`; files of one container are for others to test. */
function converted(file: string): readonly Converted[] {
  let out = '';
  const output = { out: (text: string) => (out += text), error: () => undefined };
  runOffline(['convert', 'compose', '--profile', '*', join(corpus, file)], tenantBlocks, output);
  const manifests = parseAllDocuments(out, { version: '1.1' }).map((document) => document.toJS() as Manifest);
  const spec = manifests.at(-1)?.spec;
  if (spec === undefined || spec.containers.length < 2) return [];
  const [own = ''] = basename(file).split('.');
  const name = own === 'docker-compose' ? basename(dirname(file)) : own;
  return [{ name, spec, besides: manifests.slice(0, -1) }];
}

/** A part of a volume is for a newer engine than that of the tests, which refuses it: `docker/files.test.ts`. */
function mountsParts({ spec }: Converted): boolean {
  return spec.containers.some(({ volumeMounts = [] }) =>
    volumeMounts.some(({ subPath }) => subPath !== undefined),
  );
}

const files = globSync('**/*.yml', { cwd: corpus })
  .toSorted()
  .flatMap(converted)
  .filter((file) => !mountsParts(file));

/** All of them come up; a rollout makes each container once more. */
const rolled = files.filter((_file, index) => isThorough || index % 3 === 0);

describe('compose files of several containers, converted', () => {
  const view = engineView();
  let ns: TestNamespace;
  let operator: TestOperator;
  let image: string;
  const runs = new Map<string, Promise<void>>();
  const inTurn = atMost(filesAtOnce);

  beforeAll(async () => {
    ns = await createTestNamespace('converted');
    image = await pushImage({ address: inject('registryAddress') }, { repository: ns.name, tag: '1' });
    await view.pull(image);
    const all = files.flatMap(({ spec }) => spec.containers);
    const capabilities = all.flatMap((one) => one.capabilities?.add ?? []);
    const sysctls = all.flatMap((one) => one.sysctls?.map(({ name }) => name) ?? []);
    const policy = { allow_capabilities: [...new Set(capabilities)], allow_sysctls: [...new Set(sysctls)] };
    operator = startTestOperator({
      namespaces: [ns.name],
      compute: { docker: dockerBlock(image) },
      config: { instance: ns.name, policy: { docker: policy } },
    });
    // As soon as it is their turn: each test waits for its own.
    for (const file of files)
      runs.set(
        file.name,
        inTurn(async () => {
          await comesUp(file);
          if (rolled.includes(file)) await rolls(file);
          await ns.delete(file.name);
        }),
      );
    runs.set('needy', inTurn(endsUntilItsDatabaseAnswers));
    for (const run of runs.values()) run.catch(() => undefined);
  });
  afterAll(async () => {
    await operator?.stop();
    await ns?.remove();
    if (ns !== undefined) await view.clear(ns.name);
  });

  /** Ids of the containers that there are, by the names that they have in the tenant. */
  const idsOf = async (tenant: string): Promise<ReadonlyMap<string, string>> => {
    const found = await view.containers(ns.name, tenant);
    return new Map(found.map(({ Id, Labels }) => [Labels['landlord.container'] ?? '', Id]));
  };

  const comesUp = async ({ name, spec, besides }: Converted): Promise<void> => {
    for (const [secret, values] of neededSecrets(spec)) await ns.putSecret(secret, values);
    for (const { kind, metadata, stringData, data } of besides) {
      if (kind === 'Secret') await ns.putSecret(metadata.name, { ...stringData });
      else await ns.putConfigMap(metadata.name, { ...data });
    }
    const own = withStandIns(spec, image);
    await ns.create(name, { ...own, computeProvider: 'docker' });
    await ns.untilReady(name);
    expect([...(await idsOf(name)).keys()].toSorted()).toEqual(
      own.containers.map((one) => one.name).toSorted(),
    );
  };

  const rolls = async ({ name, spec }: Converted): Promise<void> => {
    const own = withStandIns(spec, image);
    const before = await idsOf(name);
    const followed = await view.follow(ns.name, name);
    const env = (one: ConvertedContainer) => [...(one.env ?? []), { name: 'EDITION', value: '2' }];
    const containers = own.containers.map((one) => ({ ...one, env: env(one) }));
    await ns.patch(name, { spec: { containers } });
    await ns.untilReady(name);
    const after = await idsOf(name);
    const at = (action: string, id: string | undefined): number | undefined =>
      followed.events.find((event) => event.id === id && event.action === action)?.at;
    for (const container of own.containers) {
      const [former, successor] = [before.get(container.name), after.get(container.name)];
      expect(successor, container.name).not.toBe(former);
      if (isJob(container) || !hasNoGap(container, own)) continue;
      await until(`${container.name} of ${name} ended`, () => at('die', former) !== undefined);
      expect(at('start', successor), `start of ${container.name}`).toBeLessThan(at('die', former) ?? 0);
    }
    followed.stop();
  };

  /** The tenant's app, as the engine has it. */
  const app = async (tenant: string) =>
    view.docker.getContainer((await idsOf(tenant)).get('app') ?? '').inspect();

  const endsUntilItsDatabaseAnswers = async (): Promise<void> => {
    // The two write to one volume: the old one answers no more when the new app looks for it.
    const db = {
      name: 'db',
      image,
      args: ['serve', '3s'],
      volumeMounts: [{ name: 'data', mountPath: '/tmp' }],
    };
    const check = patientCheck;
    const needy = { name: 'app', image, args: ['needs', 'db'], healthCheck: check };
    const volumes = [{ name: 'data', persistent: {} }];
    await ns.create('needy', { computeProvider: 'docker', containers: [needy, db], volumes });
    await ns.untilReady('needy');
    const first = await app('needy');
    expect(first.RestartCount).toBeGreaterThan(0);

    const env = [{ name: 'EDITION', value: '2' }];
    await ns.patch('needy', { spec: { containers: [needy, db].map((one) => ({ ...one, env })) } });
    await ns.untilReady('needy');
    const second = await app('needy');
    expect(second.Id).not.toBe(first.Id);
    expect(second.Config.Env).toContain('EDITION=2');
    expect(second.RestartCount).toBeGreaterThan(0);
    const reasons = (await ns.events('needy')).map(({ reason }) => reason);
    expect(reasons).toContain('Updated');
    expect(reasons).not.toContain('RolledBack');
    await ns.delete('needy');
  };

  test('are thirty and more', () => {
    expect(files.length).toBeGreaterThanOrEqual(30);
    const gapless = files.flatMap(({ spec }) =>
      spec.containers.filter((one) => !isJob(one) && hasNoGap(one, spec)),
    );
    expect(gapless.length).toBeGreaterThanOrEqual(40);
  });

  test.concurrent.each(
    files.map((file) => ({
      ...file,
      does: rolled.includes(file) ? 'comes up, and rolls without a gap' : 'comes up',
    })),
  )('$name $does', async ({ name }) => {
    const failure = await runs.get(name)?.catch((error: Error) => error.message);
    expect(failure).toBeUndefined();
  });

  test.concurrent(
    'an app that ends until its database answers comes up, and again after an update',
    async () => {
      await expect(runs.get('needy')).resolves.toBeUndefined();
    },
  );
});
