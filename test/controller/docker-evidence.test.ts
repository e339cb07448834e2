import { describe, expect, test } from 'vitest';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryContainer, MemoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { operator } from './docker-operator.ts';

/**
 * What the operator knows of an engine by what it has heard and by the answers to its own calls, it acts on; but nothing is
 * taken from anybody by that alone. Here, things happen of which no event tells.
 */

const image = (name: string) => ({ spec: { computeConfig: { docker: { image: name } } } });

/** An engine of which nothing is heard while `isMute`. */
function mutableEngine(): { readonly memory: MemoryEngine; isMute: boolean } {
  const memory = memoryEngine(['app:1', 'app:2']);
  const mutable = { memory, isMute: false };
  const events = memory.events.bind(memory);
  memory.events = async function* heard(...args) {
    for await (const event of events(...args)) if (!mutable.isMute) yield event;
  };
  return mutable;
}

async function running() {
  const mutable = mutableEngine();
  const one = await operator(mutable.memory);
  await one.create('acme', image('app:1').spec);
  await one.pass(600_000);
  expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
  one.take();
  const named = (name: string): MemoryContainer | undefined =>
    [...one.memory.containers.values()].find((container) => container.name === name);
  const only = [...one.memory.containers.values()][0]?.name ?? '';
  const names = () => [...one.memory.containers.values()].map(({ name, state }) => `${name} ${state}`);
  const mute = () => void (mutable.isMute = true);
  return { ...one, named, only, names, mute };
}

describe('of what no event tells', () => {
  test('a successor that has ended takes nobody’s place', async () => {
    const one = await running();
    await one.patch('acme', image('app:2'));
    await one.pass(1_000);
    Object.assign(one.named(`${one.only}_next`) ?? {}, {
      state: 'exited',
      exitCode: 1,
      finishedMs: Date.now(),
    });
    // By then it would have been proven.
    await one.pass(2_500);
    expect(one.names()).toEqual([`${one.only} running`]);
    expect(one.named(one.only)?.body.Image).toBe('app:1');
    expect(await one.conditions('acme')).toContain('Ready=False/UpdateFailed');
  });

  test('a container that somebody made under the name of a successor is a conflict, and stays', async () => {
    const one = await running();
    const [known] = one.memory.containers.values();
    one.memory.containers.set('foreign', {
      ...structuredClone(known as MemoryContainer),
      id: 'foreign',
      name: `${one.only}_next`,
      body: { Image: 'app:1', Labels: {} },
    });
    await one.patch('acme', image('app:2'));
    await one.pass(10_000);
    expect(one.names()).toEqual([`${one.only} running`, `${one.only}_next running`]);
    expect(await one.conditions('acme')).toContain('Ready=False/ProviderConflict');
  });

  test('a successor that an earlier call has made, whose answer was lost, is found by a list', async () => {
    const one = await running();
    one.mute();
    const create = one.memory.createContainer.bind(one.memory);
    one.memory.createContainer = async (...args) => {
      one.memory.createContainer = create;
      await create(...args);
      return 'name-taken';
    };
    await one.patch('acme', image('app:2'));
    await one.pass(10_000);
    expect(one.take()['listContainers']).toBeGreaterThan(0);
    expect(one.names()).toEqual([`${one.only} running`]);
    expect(one.named(one.only)?.body.Image).toBe('app:2');
  });

  test('what runs no more when a change comes is not waited for', async () => {
    const one = await running();
    one.memory.containers.clear();
    await one.patch('acme', image('app:2'));
    await one.pass(1_000);
    expect(one.names()).toEqual([`${one.only} running`]);
    expect(one.named(one.only)?.body.Image).toBe('app:2');
  });

  test('of an old container that was ended by hand in the middle, nothing is stopped twice, and all comes to its end', async () => {
    const one = await running();
    await one.patch('acme', image('app:2'));
    await one.pass(1_000);
    Object.assign(one.named(one.only) ?? {}, { state: 'exited', exitCode: 137, finishedMs: Date.now() });
    await one.pass(20_000);
    expect(one.names()).toEqual([`${one.only} running`]);
    expect(one.named(one.only)?.body.Image).toBe('app:2');
    expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
  });
});
