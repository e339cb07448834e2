import { expect, test } from 'vitest';
import { perKey } from '../../src/async/per-key.ts';

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

test('whose turn has come still holds up who asks after it', async () => {
  const oneByOne = perKey();
  const order: string[] = [];
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const run = (name: string, gate?: Promise<void>) =>
    oneByOne('a', signal, async () => {
      order.push(`${name} begins`);
      await gate;
      order.push(`${name} ends`);
    });
  const first = run('first', gates[0]?.promise);
  const second = run('second', gates[1]?.promise);
  gates[0]?.resolve();
  await first;
  const third = run('third');
  await new Promise((resolve) => setImmediate(resolve));
  gates[1]?.resolve();
  await Promise.all([second, third]);
  expect(order).toEqual(['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('who has given up before its turn does nothing', async () => {
  const oneByOne = perKey();
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = oneByOne('a', signal, () => gate.promise);
  const gone = new AbortController();
  const second = oneByOne('a', gone.signal, async () => done.push('second'));
  gone.abort(new Error('enough'));
  await expect(second).rejects.toThrow('enough');
  gate.resolve();
  await first;
  await oneByOne('a', signal, async () => done.push('third'));
  expect(done).toEqual(['third']);
});
