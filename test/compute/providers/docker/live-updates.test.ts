import { describe, expect, it } from 'vitest';
import { drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import type { DrivenDocker } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
const limited = (memory: string) => tenantSpec({ resources: { memory } });

async function running() {
  const engine = memoryEngine(['app:1']);
  const provider = drivenDocker(engine);
  await provider.provision(limited('64Mi'), signal);
  engine.calls.length = 0;
  return { engine, provider };
}

const causes = async (provider: DrivenDocker, memory: string) =>
  (await provider.getStatus(limited(memory), { fresh: true, signal })).changes.map(
    ({ path, cause }) => `${path} ${cause}`,
  );

/** As `docker update` does it. */
function setMemory(engine: MemoryEngine, Memory: number): void {
  for (const { hostConfig } of engine.containers.values()) Object.assign(hostConfig, { Memory });
}

describe('limits that were changed live', () => {
  it('and are changed by somebody then are drift, and a new limit is a new spec', async () => {
    const { engine, provider } = await running();
    expect(await causes(provider, '128Mi')).toEqual(['containers.app.resources.memory spec']);
    await provider.update(limited('128Mi'), signal);
    setMemory(engine, 2 ** 20);
    expect(await causes(provider, '128Mi')).toEqual(['containers.app.resources.memory drift']);
    expect(await causes(provider, '256Mi')).toEqual(['containers.app.resources.memory spec']);
    expect(await causes(provider, '64Mi')).toEqual(['containers.app.resources.memory spec']);
  });

  it.each([
    ['that has seen them in place', true],
    ['that has not', false],
  ])('and are changed by somebody then are drift to a new process %s', async (_what, hasSeen) => {
    const { engine, provider } = await running();
    await provider.update(limited('128Mi'), signal);
    const restarted = drivenDocker(engine);
    if (hasSeen) await causes(restarted, '128Mi');
    setMemory(engine, 2 ** 20);
    expect(await causes(restarted, '128Mi')).toEqual(['containers.app.resources.memory drift']);
  });

  it('twice are a new spec each time, also to a new process', async () => {
    const { engine, provider } = await running();
    await provider.update(limited('128Mi'), signal);
    const restarted = drivenDocker(engine);
    expect(await causes(restarted, '128Mi')).toEqual([]);
    expect(await causes(restarted, '256Mi')).toEqual(['containers.app.resources.memory spec']);
  });
});

describe('a limit of processes', () => {
  const wanted = (pids_limit?: number) => tenantSpec(pids_limit === undefined ? {} : { pids_limit });
  const limit = ({ containers }: MemoryEngine) => [...containers.values()][0]?.hostConfig.PidsLimit;

  it('is changed while the container runs, and taken back where somebody has lifted it', async () => {
    const engine = memoryEngine(['app:1']);
    const provider = drivenDocker(engine);
    await provider.provision(wanted(), signal);
    await provider.update(wanted(64), signal);
    expect(limit(engine)).toBe(64);
    for (const { hostConfig } of engine.containers.values()) Object.assign(hostConfig, { PidsLimit: 0 });
    const { changes } = await provider.getStatus(wanted(64), { fresh: true, signal });
    expect(changes).toEqual([
      { path: 'containers.app.pidsLimit', desired: '64', actual: 'none', cause: 'drift', effect: 'live' },
    ]);
    await provider.update(wanted(64), signal);
    expect([limit(engine), engine.containers.size]).toEqual([64, 1]);
  });

  it('is dropped without a replacement', async () => {
    const engine = memoryEngine(['app:1']);
    const provider = drivenDocker(engine, settings({}, { allow_unlimited: true }));
    await provider.provision(wanted(), signal);
    const [id] = engine.containers.keys();
    await provider.update(tenantSpec({ unlimited: ['pids'] }), signal);
    expect([...engine.containers.keys()]).toEqual([id]);
    expect(limit(engine)).toBe(-1);
  });
});

/** Takes limits with success, and has none. */
function discarding(engine: MemoryEngine, isDiscarded: (name: string) => boolean): void {
  const update = engine.updateContainer.bind(engine);
  const create = engine.createContainer.bind(engine);
  const kept = (body: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(body).filter(([name]) => !isDiscarded(name)));
  engine.updateContainer = async (id, body, aborted) => update(id, kept(body), aborted);
  engine.createContainer = async (name, body, aborted) =>
    create(name, { ...body, HostConfig: kept(body.HostConfig ?? {}) }, aborted);
}

describe('an engine that does not keep memory limits', () => {
  it.each([
    ['from the creation on', 'provision'],
    ['when they come later', 'update'],
  ] as const)('is given them once, and the tenant is at rest: %s', async (_what, how) => {
    const engine = memoryEngine(['app:1']);
    discarding(engine, (name) => name === 'Memory' || name === 'MemorySwap');
    const provider = drivenDocker(engine);
    if (how === 'update') await provider.provision(tenantSpec(), signal);
    const spec = tenantSpec({ resources: { memory: '64Mi', cpu: '1' } });
    for (let calls = 0; calls < 3; calls += 1) {
      expect((await provider[how](spec, signal)).outcome).toBe('done');
      expect((await provider.getStatus(spec, { fresh: true, signal })).changes).toEqual([]);
    }
    expect(engine.calls.filter((call) => call === 'updateContainer')).toHaveLength(1);
    const [container] = engine.containers.values();
    expect(container).toMatchObject({ state: 'running', hostConfig: { NanoCpus: 1e9 } });
  });

  it('is given others once, too, and what it keeps is drift when somebody changes it', async () => {
    const engine = memoryEngine(['app:1']);
    discarding(engine, (name) => name === 'Memory' || name === 'MemorySwap');
    const provider = drivenDocker(engine);
    const spec = (memory: string) => tenantSpec({ resources: { memory, cpu: '1' } });
    await provider.provision(spec('64Mi'), signal);
    await provider.update(spec('128Mi'), signal);
    await provider.update(spec('128Mi'), signal);
    expect(engine.calls.filter((call) => call === 'updateContainer')).toHaveLength(2);
    for (const { hostConfig } of engine.containers.values()) Object.assign(hostConfig, { NanoCpus: 5e8 });
    expect((await provider.getStatus(spec('128Mi'), { fresh: true, signal })).changes).not.toEqual([]);
    await provider.update(spec('128Mi'), signal);
    expect([...engine.containers.values()][0]?.hostConfig.NanoCpus).toBe(1e9);
    expect((await provider.getStatus(spec('128Mi'), { fresh: true, signal })).changes).toEqual([]);
  });
});
