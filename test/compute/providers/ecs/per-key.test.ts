import { expect, test } from 'vitest';
import { perKey } from '../../../../src/compute/providers/ecs/per-key.ts';

const signal = new AbortController().signal;

test('tasks of one key run one after the other, whatever became of the one before; other keys don’t wait', async () => {
  const oneByOne = perKey();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = oneByOne('a', signal, async () => {
    await gate.promise;
    order.push('first');
    throw new Error('failed');
  });
  const second = oneByOne('a', signal, async () => order.push('second'));
  await oneByOne('b', signal, async () => order.push('other'));
  gate.resolve();
  await expect(first).rejects.toThrow('failed');
  await second;
  expect(order).toEqual(['other', 'first', 'second']);
});

test('who gives up waiting is let go, and what goes on still holds up the next', async () => {
  const oneByOne = perKey();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const impatient = new AbortController();
  const first = oneByOne('a', impatient.signal, async () => {
    await gate.promise;
    order.push('first');
  });
  // By now it has begun.
  await new Promise((resolve) => setImmediate(resolve));
  impatient.abort(new Error('enough'));
  await expect(first).rejects.toThrow('enough');
  const second = oneByOne('a', signal, async () => order.push('second'));
  await new Promise((resolve) => setImmediate(resolve));
  gate.resolve();
  await second;
  expect(order).toEqual(['first', 'second']);
});
