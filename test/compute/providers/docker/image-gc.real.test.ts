import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { TestContext } from 'vitest';
import { ifThere } from '../../../../dev/shared-engine-remains.ts';
import { pushImage } from '../../../../dev/images.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import type { DesiredTenant } from '../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { until } from '../../../until.ts';
import { driven } from '../../driven-provider.ts';
import { anyConsent, anyPermit } from '../../permits.ts';
import { dockerTestBench, settled } from './docker-bench.ts';
import type { DockerTestBench } from './docker-bench.ts';

const signal = new AbortController().signal;
let bench: DockerTestBench;

beforeAll(() => {
  bench = dockerTestBench({ image_gc: { enabled: true, dry_run: false, grace_period: '1s' } });
});
afterAll(() => bench.close());

/** Of no other test: what has the same content is the same image. */
const image = (tag: string) =>
  pushImage(
    { address: inject('registryAddress') },
    { repository: bench.prefix, tag, version: `${bench.prefix}-${tag}` },
  );
const idOf = async (name: string) => (await bench.engine.inspectImage(name, signal))?.Id;
const records = async () =>
  (await bench.engine.listVolumes([`${bench.prefix}.image_id`], signal))
    .map(({ Labels }) => Labels[`${bench.prefix}.image`] ?? '')
    .toSorted();

/** A new process of the operator. */
async function operator({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  const bare = bench.provider();
  const stop = new AbortController();
  const watching = bare.watch(() => undefined, stop.signal);
  const end = async () => {
    stop.abort();
    await watching;
  };
  onTestFinished(end);
  const look = async () => bare.collectImages?.(anyPermit, signal);
  await until('it hears what others do', async () => (await look()) !== undefined);
  return { bare, look, end, ...driven<DesiredTenant, DockerConfig>(bare) };
}
type Operator = Awaited<ReturnType<typeof operator>>;

async function roll({ getStatus, update }: Operator, tenantId: string, image: string) {
  const spec = bench.spec(tenantId, { image });
  await settled(async () => {
    await getStatus(spec, { fresh: true, signal });
    return update(spec, signal);
  });
  return spec;
}

/** Looks until so much time has gone that whatever may go has gone. */
async function pastGrace({ look }: Operator, witness: string): Promise<void> {
  await until(`${witness} is gone`, async () => {
    await look();
    return (await idOf(witness)) === undefined;
  });
}

test('what Landlord alone has pulled goes after the grace period, and what is used, may come back or is of a person stays', async (context) => {
  const [v1, v2, v3, v4, hers, tagged, again, run, witness] = await Promise.all([
    image('1'),
    image('2'),
    image('3'),
    image('4'),
    image('hers'),
    image('tagged'),
    image('again'),
    image('run'),
    image('witness'),
  ]);
  // Somebody has it before any Tenant asks for it.
  await bench.pull(hers);
  const before = await operator(context);
  for (const one of [v1, v2]) await roll(before, 'app', one);
  for (const [tenantId, one] of Object.entries({ hers, tagged, again, run })) {
    const spec = await roll(before, tenantId, one);
    await settled(() => before.destroy(spec, signal));
  }
  expect(await records()).toEqual([v1, v2, tagged, again, run].toSorted());
  // It goes away, and another process comes.
  await before.end();
  await bench.docker.getImage(tagged).tag({ repo: `${bench.prefix}-mine`, tag: '1' });
  const after = await operator(context);
  // What is done as soon as a pull is over may be that pull, by a clock that is known to two seconds.
  await delay(3_000);
  await bench.pull(again);
  const person = await bench.docker.createContainer({ Image: run });
  await person.remove();
  for (const one of [v3, v4]) await roll(after, 'app', one);
  const spec = await roll(after, 'witness', witness);
  await settled(() => after.destroy(spec, signal));
  await pastGrace(after, witness);
  await pastGrace(after, v1);
  for (const one of [v2, v3, v4, hers, tagged, again, run, `${bench.prefix}-mine:1`])
    expect([one, await idOf(one)]).toEqual([one, expect.any(String)]);
  expect(await records()).toEqual([v2, v3, v4].toSorted());
  await ifThere(bench.docker.getImage(`${bench.prefix}-mine:1`).remove());
  const app = bench.spec('app', { image: v4 });
  await settled(() => after.destroy(app, signal));
  for (const one of [v2, v3, v4]) await pastGrace(after, one);
  expect(await records()).toEqual([]);
});

test('the engine itself refuses what is in use: nothing is done by force', async () => {
  const used = await image('used');
  await bench.pull(used);
  const container = await bench.docker.createContainer({ Image: used });
  const id = (await idOf(used)) ?? '';
  expect(await bench.engine.removeImage(id, anyConsent, signal)).toBe('in-use');
  expect(await bench.engine.removeImage(used, anyConsent, signal)).toBe('in-use');
  await container.remove();
  await bench.docker.getImage(used).tag({ repo: `${bench.prefix}-other`, tag: '1' });
  expect(await bench.engine.removeImage(id, anyConsent, signal)).toBe('in-use');
  expect(await bench.engine.removeImage(used, anyConsent, signal)).toBe('removed');
  expect(await idOf(`${bench.prefix}-other:1`)).toBe(id);
  expect(await bench.engine.removeImage(id, anyConsent, signal)).toBe('removed');
  expect(await idOf(id)).toBeUndefined();
});
