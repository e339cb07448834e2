import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { drivenDocker, settings, tenantSpec } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';
import type { MemoryContainer } from '../memory-engine.ts';
import { recordedChanges } from '../recorded-changes.ts';

/** By what evidence a step is taken while a watch lives: things happen here of which no event tells. */

const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';
const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A rollout in which a successor runs for so long that it is about to take over; nobody was asked for a while. */
async function aboutToTakeOver() {
  const engine = memoryEngine(['app:1', 'app:2']);
  const provider = drivenDocker(engine, settings(), { settleMs: 3_000 });
  await provider.provision(tenantSpec(), signal);
  await later(600_000);
  const stop = new AbortController();
  const watching = provider.watch(() => undefined, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await watching;
  });
  await later(1_000);
  const update = () => provider.update(tenantSpec({ image: 'app:2' }), signal);
  expect(await update()).toMatchObject({ outcome: 'in_progress' });
  await later(3_100);
  const named = (wanted: string) =>
    [...engine.containers.values()].find((one) => one.name === wanted) as MemoryContainer;
  engine.calls.length = 0;
  return { engine, update, named, changes: recordedChanges(engine) };
}

it('what takes over was seen to run right before: each is inspected once, and the old one once it was stopped', async () => {
  const { engine, update } = await aboutToTakeOver();
  expect(await update()).toMatchObject({ outcome: 'done' });
  expect(engine.calls).toEqual([
    'inspectContainer',
    'inspectContainer',
    'renameContainer',
    'renameContainer',
    'stopContainer',
    'inspectContainer',
    'removeContainer',
  ]);
});

it('a successor that has ended meanwhile takes nobody’s place: nothing is renamed and nothing stopped', async () => {
  const { update, named, changes } = await aboutToTakeOver();
  Object.assign(named(`${name}_next`), { state: 'exited', exitCode: 1, finishedMs: Date.now() });
  await expect(update()).rejects.toMatchObject({ code: 'UpdateFailed' });
  expect(changes).toEqual([`remove ${name}_next`]);
  expect(named(name).state).toBe('running');
});

it('a successor that somebody has taken away is told, and what serves goes on', async () => {
  const { engine, update, named, changes } = await aboutToTakeOver();
  engine.containers.delete(named(`${name}_next`).id);
  await expect(update()).rejects.toMatchObject({ code: 'UpdateFailed' });
  expect(changes).toEqual([]);
  expect(named(name).state).toBe('running');
});
