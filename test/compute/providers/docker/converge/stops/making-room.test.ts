import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ComputeError } from '../../../../../../src/compute/errors.ts';
import type { StepResult } from '../../../../../../src/compute/provider.ts';
import { EngineRefusal } from '../../../../../../src/compute/providers/docker/engine/engine.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from '../../docker-fixture.ts';
import { memoryEngine } from '../../memory-engine.ts';
import { recordedChanges } from '../../recorded-changes.ts';

/** Containers that take their time to end, and what is to come in their place. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';
const fixed = (image: string) => tenantSpec({ image, ports: [{ container_port: 80, host_port: 8080 }] });
const stopping = {
  outcome: 'in_progress',
  message: `Stopping container ${name}`,
  lookAgainAfterMs: 15_000,
};

/** A tenant that runs, on an engine where each stop takes until the test ends it. */
async function running(spec = fixed('app:1')) {
  const engine = memoryEngine(['app:1', 'app:2', 'app:3', 'crash:1', 'bad-command:1']);
  const provider = drivenDocker(engine, settings());
  const watching = new AbortController();
  const hints: unknown[] = [];
  void provider.bare.watch((tenantId) => hints.push(tenantId), watching.signal);
  await provider.provision(spec, signal);
  const changes = recordedChanges(engine);
  const gates: PromiseWithResolvers<void>[] = [];
  const stopContainer = engine.stopContainer.bind(engine);
  engine.stopContainer = async (...args) => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    await stopContainer(...args);
  };
  /** What a call comes to within the moment that it waits for a stop. */
  const soon = async <T>(call: Promise<T>): Promise<T | ComputeError> => {
    const caught = call.catch((error: ComputeError) => error);
    await vi.advanceTimersByTimeAsync(500);
    return caught;
  };
  return {
    engine,
    provider,
    changes,
    hints,
    stops: () => gates.length,
    update: async (to: typeof spec): Promise<StepResult | ComputeError> => soon(provider.update(to, signal)),
    hold: async (to: typeof spec): Promise<StepResult | ComputeError> => soon(provider.hold(to, signal)),
    endStops: async (error?: Error): Promise<void> => {
      for (const gate of gates.splice(0)) {
        if (error === undefined) gate.resolve();
        else gate.reject(error);
      }
      await vi.advanceTimersByTimeAsync(0);
    },
    states: () => [...engine.containers.values()].map((one) => `${one.name} ${one.state}`),
    end: () => watching.abort(),
  };
}

test('what stops to make room for its successor is not waited for: its end is a hint, and the next call goes on', async () => {
  const { update, stops, endStops, hints, changes, states, end } = await running();
  expect(await update(fixed('app:2'))).toEqual(stopping);
  expect(await update(fixed('app:2'))).toEqual(stopping);
  expect(stops()).toBe(1);
  expect(states()).toEqual([`${name} running`, `${name}_next created`]);
  hints.length = 0;
  await endStops();
  // Whether or not anybody comes: nothing of the tenant runs until then.
  expect(states()).toEqual([`${name} exited`, `${name}_next running`]);
  expect(hints).toContain('acme');
  expect(await update(fixed('app:2'))).toMatchObject({ outcome: 'done' });
  expect(changes.slice(0, 3)).toEqual([`create ${name}_next`, `stop ${name} 10`, `start ${name}_next`]);
  end();
});

test('while it goes on nothing else is done, and what it was stopped for stays as long, even where that is no longer wanted', async () => {
  const { update, endStops, changes, states, stops, end } = await running();
  await update(fixed('app:2'));
  changes.length = 0;
  expect(await update(fixed('app:1'))).toMatchObject(stopping);
  expect(await update(fixed('app:3'))).toMatchObject(stopping);
  expect(changes).toEqual([]);
  await endStops();
  expect(await update(fixed('app:1'))).toMatchObject({ outcome: 'done' });
  expect(states()).toEqual([`${name} running`]);
  // What was stopped runs again before what it was stopped for is gone.
  const order = changes.filter((change) => /^(start|remove)/.test(change));
  expect(order).toEqual([`start ${name}`, `remove ${name}_drop`]);
  expect(stops()).toBe(0);
  end();
});

test('whoever is to keep what ran before waits for its end as well, and starts it again', async () => {
  const { hold, update, endStops, states, end } = await running();
  await update(fixed('app:2'));
  expect(await hold(fixed('app:2'))).toMatchObject(stopping);
  await endStops();
  expect(await hold(fixed('app:2'))).toMatchObject({ outcome: 'done' });
  expect(states()).toEqual([`${name} running`]);
  end();
});

test('a stop that fails is told of, and made again', async () => {
  const { update, endStops, stops, states, end } = await running();
  await update(fixed('app:2'));
  await endStops(new EngineRefusal('other', 500, 'its shim does not answer'));
  expect(await update(fixed('app:2'))).toMatchObject({
    code: 'UpdateFailed',
    message: expect.stringContaining('its shim does not answer') as string,
  });
  expect(await update(fixed('app:1'))).toMatchObject({ outcome: 'done' });
  expect(states()).toEqual([`${name} running`]);
  await update(fixed('app:2'));
  expect(stops()).toBe(1);
  end();
});

test('a port that is taken meanwhile is met as if there had been no wait: the old one runs again, and the next try is late', async () => {
  const { engine, update, endStops, states, end } = await running();
  await update(fixed('app:2'));
  const start = engine.startContainer.bind(engine);
  engine.startContainer = async (id, aborted) => {
    if ([id, engine.containers.get(id)?.name].includes(`${name}_next`))
      throw new EngineRefusal('port-busy', 500, 'address already in use');
    return start(id, aborted);
  };
  await endStops();
  const error = (await update(fixed('app:2'))) as ComputeError;
  expect(error.message).toContain('address already in use');
  // As for each try that stops what serves.
  expect(error.retryAfterMs).toBeGreaterThan(10_000);
  expect(states()).toEqual([`${name} running`]);
  end();
});

test('why a successor could not be started is known still when its sibling has ended', async () => {
  const both = (image: string, db = 'app:1') =>
    tenantSpec({}, { containers: [containerSpec('app', { image }), containerSpec('db', { image: db })] });
  const { engine, update, endStops, states, end } = await running(both('app:1'));
  const app = [...engine.containers.values()].find((one) => one.name === `${name}.app`);
  const start = engine.startContainer.bind(engine);
  engine.startContainer = async (id, aborted) => {
    if (engine.containers.get(id)?.name !== `${name}.app_next`) return start(id, aborted);
    // Somebody stops what serves in that moment, so that the way back begins with a stop of the other successor.
    if (app !== undefined) {
      Object.assign(app, { state: 'exited', exitCode: 1, finishedMs: Date.now() + 1_000 });
      engine.emit('die', app);
    }
    throw new EngineRefusal('other', 500, 'the engine lacks a device');
  };
  const next = both('app:2', 'app:2');
  expect(await update(next)).toMatchObject({ message: `Stopping container ${name}.db_next` });
  await endStops();
  const error = (await update(next)) as ComputeError;
  expect(error.code).toBe('UpdateFailed');
  expect(error.message).toBe(
    'The new container app could not be started: the engine lacks a device. It was removed, and is tried again',
  );
  expect(states()).toEqual([`${name}.app running`, `${name}.db running`]);
  end();
});

test('a successor that begins anew, for its address is another one, is not waited for, and is nobody’s failure meanwhile', async () => {
  const both = (image: string) =>
    tenantSpec({}, { containers: [containerSpec('app', { image }), containerSpec('db')] });
  const { engine, update, endStops, hints, changes, states, end } = await running(both('app:1'));
  const old = [...engine.containers.values()].find((one) => one.name === `${name}.app`);
  const disconnect = engine.disconnectContainer.bind(engine);
  engine.disconnectContainer = async (...args) => {
    // Whatever had a lower address has given it up meanwhile.
    old?.endpoints.set('landlord-acme', { aliases: ['app'], address: '10.0.0.200' });
    await disconnect(...args);
  };
  const beginning = { ...stopping, message: `Stopping container ${name}.app_next` };
  expect(await update(both('app:2'))).toEqual(beginning);
  changes.length = 0;
  expect(await update(both('app:2'))).toEqual(beginning);
  expect(await update(both('app:3'))).toEqual(beginning);
  expect(changes).toEqual([]);

  const [start, started] = [engine.startContainer.bind(engine), Promise.withResolvers<void>()];
  engine.startContainer = async (...args) => {
    await started.promise;
    await start(...args);
  };
  await endStops();
  // It stands still for a moment, as one does that has failed.
  expect(states()).toContain(`${name}.app_next exited`);
  expect(await update(both('app:2'))).toEqual(beginning);
  hints.length = 0;
  started.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(states()).toContain(`${name}.app_next running`);
  expect(hints).toContain('acme');

  expect(await update(both('app:2'))).toMatchObject({ message: `Stopping container ${name}.app_old` });
  await endStops();
  expect(await update(both('app:2'))).toMatchObject({ outcome: 'done' });
  expect(states()).toEqual([`${name}.db running`, `${name}.app running`]);
  end();
});

test('one that begins anew and that nobody wants any more by then stays as it was stopped', async () => {
  const both = (image: string) =>
    tenantSpec({}, { containers: [containerSpec('app', { image }), containerSpec('db')] });
  const { engine, provider, update, endStops, changes, states, end } = await running(both('app:1'));
  const old = [...engine.containers.values()].find((one) => one.name === `${name}.app`);
  const disconnect = engine.disconnectContainer.bind(engine);
  engine.disconnectContainer = async (...args) => {
    old?.endpoints.set('landlord-acme', { aliases: ['app'], address: '10.0.0.200' });
    await disconnect(...args);
  };
  await update(both('app:2'));
  changes.length = 0;
  const going = provider.destroy(both('app:2'), signal);
  await vi.advanceTimersByTimeAsync(500);
  expect(await going).toMatchObject({ outcome: 'in_progress' });
  await endStops();
  expect(changes.filter((change) => change.startsWith('start'))).toEqual([]);
  expect(states()).not.toContain(`${name}.app_next running`);
  end();
});
