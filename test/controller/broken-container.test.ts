import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { describe, expect, test } from 'vitest';
import type { Provider } from '../../src/compute/provider.ts';
import type { EnabledProviders } from '../../src/compute/selection/enabled-providers.ts';
import { dockerTenantBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { failedRead, silentEngine } from '../../src/compute/providers/docker/engine/engine-errors.ts';
import { drivenDocker, settings } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryContainer, MemoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { namespace, startController } from './controller-fixture.ts';

const specSchema = tenantSpecSchema({ docker: dockerTenantBlock });
const sweepMs = 300_000;
const host = 'unix:///memory.sock';
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Five tenants that have been Ready for long, and the container of one of them. */
async function fleet() {
  const engine = memoryEngine(['app:1', 'app:2']);
  const { block: operators } = settings();
  const provider = drivenDocker(engine, settings(), { sweepIntervalMs: sweepMs }).bare;
  const enabled = {
    definition: dockerDefinition,
    provider: provider as unknown as Provider,
    block: operators,
  };
  const providers: EnabledProviders = new Map([['docker', enabled]]);
  const one = await startController([], { specSchema, providers });
  for (const name of ['t0', 't1', 't2', 't3', 't4'])
    await one.create(name, { computeConfig: { docker: { image: 'app:1' } } });
  await one.pass(2 * sweepMs);
  one.passes.length = 0;
  engine.calls.length = 0;
  const bad = [...engine.containers.values()].find(({ name }) => name.includes('-t2-'));
  if (bad === undefined) throw new Error('nothing runs');
  return { one, engine, bad };
}

/** From now on the engine has nothing good to say of this one container, whatever it is asked. */
function breakAlone(engine: MemoryEngine, bad: MemoryContainer, how: 'answers 500' | 'hangs') {
  const asked = { times: 0, over: false };
  for (const key of ['inspectContainer', 'stopContainer', 'removeContainer', 'startContainer'] as const) {
    const call = engine[key].bind(engine) as (...args: unknown[]) => Promise<unknown>;
    Object.assign(engine, {
      [key]: async (...args: unknown[]) => {
        if (asked.over || (args[0] !== bad.id && args[0] !== bad.name)) return call(...args);
        asked.times += 1;
        if (how === 'answers 500')
          throw failedRead(host, { status: 500, text: `RWLayer of container ${bad.id} is unexpectedly nil` });
        await sleep(30_000);
        throw silentEngine(host);
      },
    });
  }
  return asked;
}

const told = {
  'answers 500': /^The container landlord-tenant-team-a-t2-\w+ can't be inspected: .* answered 500: RWLayer/,
  hangs: /^The container landlord-tenant-team-a-t2-\w+ can't be inspected: .* answers, but not about this: /,
} as const;

describe.each(['answers 500', 'hangs'] as const)('one container about which the engine %s', (how) => {
  test('that ran on turns its own tenant Unknown, with words about it, and nobody else', async () => {
    const { engine, bad, one } = await fleet();
    const asked = breakAlone(engine, bad, how);
    await one.pass(sweepMs + 120_000);
    expect(await one.conditions('t2')).toContain('Ready=Unknown/ProviderUnavailable');
    expect(await one.message('t2')).toMatch(told[how]);
    for (const name of ['t0', 't1', 't3', 't4'])
      expect(await one.conditions(name)).toEqual(['Ready=True/Running']);
    asked.over = true;
    await one.pass(sweepMs + 60_000);
    expect(await one.conditions('t2')).toEqual(['Ready=True/Running']);
  });

  test('and that died costs nobody a pass, opens no second stream of events, and is asked ever more seldom', async () => {
    const { engine, bad, one } = await fleet();
    const asked = breakAlone(engine, bad, how);
    Object.assign(bad, { state: 'exited', finishedMs: Date.now() });
    engine.emit('die', bad);
    await one.pass(3_600_000);
    expect(await one.conditions('t2')).toContain('Ready=Unknown/ProviderUnavailable');
    expect([...new Set(one.passes)]).toEqual(['team-a/t2']);
    expect(engine.calls.filter((call) => call === 'events')).toEqual([]);
    // 9 on the way to 5 min between two tries, and from then on twelve an hour; as many by the watch.
    expect(asked.times).toBeLessThan(36);
  });

  test('holds up no change of another tenant', async () => {
    const { engine, bad, one } = await fleet();
    breakAlone(engine, bad, how);
    await one.pass(sweepMs);
    await one.patch('t3', { spec: { computeConfig: { docker: { image: 'app:2' } } } });
    await one.pass(5_000);
    expect(await one.conditions('t3')).toEqual(['Ready=True/Running']);
    const images = [...engine.containers.values()].map(({ body }) => body.Image);
    expect(images.filter((image) => image === 'app:2')).toHaveLength(1);
    expect(images).toHaveLength(5);
  });

  test('names itself where it holds up its own deletion', async () => {
    const { engine, bad, one } = await fleet();
    breakAlone(engine, bad, how);
    await one.tenants.delete('t2', namespace);
    await one.pass(60_000);
    expect(await one.message('t2')).toMatch(
      /can't be deleted yet: The container \S+-t2-\w+ can't be stopped: /,
    );
  });
});
