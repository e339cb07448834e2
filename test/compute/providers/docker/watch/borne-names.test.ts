import { expect, it } from 'vitest';
import { createBorneNames } from '../../../../../src/compute/providers/docker/watch/names/borne-names.ts';
import { observedContainer } from '../observed-fixture.ts';

it('tells how long what is behind a proxy has borne its name, from when it was first seen with it', () => {
  let nowMs = 1_000;
  const names = createBorneNames(() => nowMs);
  const labels = { 'landlord.drain': '10' };
  const seen = (name: string, over = { labels }) =>
    names.addTo({ ...observedContainer({ name, ...over }), id: 'one' }).namedForMs;
  expect(seen('app')).toBe(0);
  nowMs += 500;
  expect(seen('app')).toBe(500);
  expect(seen('app_old')).toBe(0);
  nowMs += 200;
  expect(seen('app_old')).toBe(200);
  names.forget('one');
  expect(seen('app_old')).toBe(0);
  expect(names.addTo(observedContainer({ name: 'db' }))).not.toHaveProperty('namedForMs');
});

it('counts from when it runs, unless it is a job that is done', () => {
  let nowMs = 1_000;
  const names = createBorneNames(() => nowMs);
  const labels = { 'landlord.drain': '10' };
  const seen = (over: Partial<ReturnType<typeof observedContainer>>) =>
    names.addTo({ ...observedContainer({ name: 'app', labels }), id: 'one', ...over }).namedForMs;
  seen({});
  nowMs += 500;
  expect(seen({ state: 'paused' })).toBe(500);
  expect(seen({ state: 'restarting' })).toBe(0);
  nowMs += 500;
  expect(seen({ state: 'exited', exitCode: 1 })).toBe(0);
  expect(seen({})).toBe(0);
  nowMs += 200;
  expect(seen({})).toBe(200);
  const none = { nanoCpus: 0, memoryBytes: 0, pidsLimit: 1024, restartPolicy: 'no' } as const;
  const done = observedContainer({ name: 'app', labels, state: 'exited', exitCode: 0 }, { live: none });
  expect(names.addTo({ ...done, id: 'one' }).namedForMs).toBe(200);
});

it('counts on for one that was succeeded and comes and goes: nobody is led to it', () => {
  let nowMs = 1_000;
  const names = createBorneNames(() => nowMs);
  const labels = { 'landlord.drain': '10' };
  names.addTo(observedContainer({ name: 'app_old', labels }));
  nowMs += 500;
  const restarting = observedContainer({ name: 'app_old', labels, state: 'restarting' });
  expect(names.addTo(restarting).namedForMs).toBe(500);
});
