import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ComputeError } from '../../../../src/compute/errors.ts';
import type { StepResult } from '../../../../src/compute/provider.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';
import { anyConsent } from '../../permits.ts';

const signal = new AbortController().signal;
const lostAnswer = new ComputeError('ProviderUnavailable', 'the connection broke', {
  cause: new Error('EPIPE'),
});

/** A provider whose watch is live, on a clock that the test moves. */
async function watched(engine: MemoryEngine = memoryEngine(['app:1', 'app:2']), block = {}) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  const hears = { events: true };
  const events = engine.events.bind(engine);
  engine.events = async function* (...args) {
    for await (const event of events(...args)) if (hears.events) yield event;
  };
  const provider = drivenDocker(engine, settings(block));
  const stop = new AbortController();
  const watching = provider.watch(() => undefined, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await watching;
    vi.useRealTimers();
  });
  const later = async (ms = 2_000): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));
  await later();
  engine.calls.length = 0;
  const lists = () => engine.calls.filter((call) => call === 'listContainers').length;
  const names = () => [...engine.containers.values()].map(({ name, state }) => `${name} ${state}`).toSorted();
  return { engine, provider, later, lists, names, hears };
}

/** Calls again until there is a last word. */
async function settled(operation: () => Promise<StepResult>, wait = async (): Promise<void> => undefined) {
  for (let tries = 0; tries < 20; tries += 1) {
    if ((await operation()).outcome !== 'in_progress') return;
    await wait();
  }
  throw new Error('the operation does not come to an end');
}

describe('what an answer to a call of our own says needs no list', () => {
  it('even where no event comes', async () => {
    const { provider, later, lists, names, hears } = await watched();
    hears.events = false;
    await settled(() => provider.provision(tenantSpec(), signal));
    expect(names()).toEqual(['landlord-tenant-acme running']);
    await later();
    await settled(
      () => provider.update(tenantSpec({ image: 'app:2' }), signal),
      async () => later(),
    );
    expect(names()).toEqual(['landlord-tenant-acme running']);
    const status = await provider.getStatus(tenantSpec({ image: 'app:2' }), { fresh: true, signal });
    expect(status).toMatchObject({ changes: [], compute: { containers: [{ image: 'app:2', ready: true }] } });
    expect(lists()).toBe(0);
  });

  it('and an end that no event told of is seen by the next fresh look', async () => {
    const { engine, provider, later, hears } = await watched();
    await settled(() => provider.provision(tenantSpec(), signal));
    hears.events = false;
    for (const container of engine.containers.values()) container.state = 'exited';
    await later();
    const look = await provider.getStatus(tenantSpec(), { fresh: true, signal });
    expect(look.compute.state).toBe('stopped');
  });
});

describe('where nobody knows what a call has done', () => {
  it.each([
    'createContainer',
    'removeContainer',
    'renameContainer',
    'startContainer',
    'stopContainer',
  ] as const)(
    'as the answer to %s got lost, all is listed, and nothing is made twice or forgotten',
    async (call) => {
      const { engine, provider, later, lists, names, hears } = await watched();
      await settled(() => provider.provision(tenantSpec(), signal));
      await later();
      hears.events = false;
      let losses = 1;
      const real = engine[call].bind(engine) as (...args: unknown[]) => Promise<unknown>;
      Object.assign(engine, {
        [call]: async (...args: unknown[]) => {
          const answer = await real(...args);
          if (losses-- > 0) throw lostAnswer;
          return answer;
        },
      });
      const update = () => provider.update(tenantSpec({ image: 'app:2' }), signal);
      const tries = () => update().catch(async () => ({ outcome: 'in_progress' as const, message: '' }));
      await settled(tries, async () => later());
      expect(losses).toBeLessThanOrEqual(0);
      expect(lists()).toBe(1);
      expect(names()).toEqual(['landlord-tenant-acme running']);
      expect([...engine.containers.values()][0]?.body.Image).toBe('app:2');
    },
  );

  it('as a name is taken by what no event told of, all is listed', async () => {
    const { engine, provider, lists, names, hears } = await watched();
    hears.events = false;
    const other = drivenDocker(engine);
    await settled(() => other.provision(tenantSpec(), signal));
    const before = lists();
    await settled(() => provider.provision(tenantSpec(), signal));
    expect(lists() - before).toBe(1);
    expect(names()).toEqual(['landlord-tenant-acme running']);
  });
});

it('a container that was made a moment ago takes no host port that another tenant keeps', async () => {
  const { engine, provider, later } = await watched();
  const onPort = (name: string) =>
    tenantSpec(
      {},
      {
        tenantId: name,
        tenant: { namespace: 'team-a', name, uid: '' },
        containers: [
          containerSpec('app', { ports: [{ containerPort: 80, hostPort: 18_080, protocol: 'TCP' }] }),
        ],
      },
    );
  await settled(() => provider.provision(onPort('one'), signal));
  const [first] = engine.containers.values();
  await engine.stopContainer(first?.id ?? '', 0, anyConsent, signal);
  await later();
  await expect(provider.provision(onPort('two'), signal)).rejects.toThrow(
    /host port 18080\/tcp is held by another tenant of this operator/,
  );
});
