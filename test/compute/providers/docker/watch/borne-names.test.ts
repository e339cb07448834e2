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
