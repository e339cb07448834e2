import { expect, it } from 'vitest';
import { simulate } from './run.ts';

it('plays a seed the same way each time, whatever was played before', async () => {
  const first = await simulate(7);
  await simulate(8);
  const again = await simulate(7);
  expect(again.trace).toEqual(first.trace);
  expect(first.trace.length).toBeGreaterThan(10);
});

it('plays another seed another way', async () => {
  const [seven, eight] = [await simulate(7), await simulate(8)];
  expect(eight.trace).not.toEqual(seven.trace);
});

it('gives the process its clock back', async () => {
  const clock = () => [globalThis.setTimeout, globalThis.Date, Reflect.get(performance, 'now') as unknown];
  const before = clock();
  await simulate(7);
  expect(clock()).toEqual(before);
});
