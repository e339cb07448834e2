import { describe, expect, it } from 'vitest';
import { atMost } from '../../src/async/at-most.ts';
import { outcome, tasks, turn } from './tasks.ts';

const { signal } = new AbortController();

describe('one at a time', () => {
  it('those of one key wait for each other, in order, also for one that fails; others do not', async () => {
    const { begun, task, end } = tasks();
    const inOrder = atMost(1);
    const runs = ['a', 'b', 'c'].map((name) => inOrder(task(name), { key: 'key' }));
    const failed = outcome(runs[0]);
    const other = inOrder(task('other'), { key: 'other' });
    await turn();
    expect(begun).toEqual(['a', 'other']);
    await end('a', new Error('no'));
    expect(begun).toEqual(['a', 'other', 'b']);
    await end('b');
    expect(begun).toEqual(['a', 'other', 'b', 'c']);
    await end('c');
    await end('other');
    expect(await failed).toBe('failed: no');
    expect(await Promise.all([...runs.slice(1), other])).toEqual(['b', 'c', 'other']);
  });

  it('one that comes while the last one runs waits for it, one that comes later does not', async () => {
    const { begun, task, end } = tasks();
    const inOrder = atMost(1);
    const first = inOrder(task('a'), { key: 'key' });
    const second = inOrder(task('b'), { key: 'key' });
    await end('a');
    await first;
    const third = inOrder(task('c'), { key: 'key' });
    await turn();
    expect(begun).toEqual(['a', 'b']);
    await end('b');
    await end('c');
    expect(await Promise.all([second, third])).toEqual(['b', 'c']);
    void inOrder(task('d'), { key: 'key' });
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    await end('d');
  });
});

describe('at most so many', () => {
  it('run at once, and the others take their places in order', async () => {
    const { begun, task, end } = tasks();
    const throttle = atMost(2);
    const runs = ['a', 'b', 'c', 'd'].map((name) => throttle(task(name)));
    await turn();
    expect(begun).toEqual(['a', 'b']);
    const failed = outcome(runs[1]);
    await end('b', new Error('no'));
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('a');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    await end('c');
    await end('d');
    expect(await failed).toBe('failed: no');
    const again = ['e', 'f', 'g'].map((name) => throttle(task(name)));
    await turn();
    expect(begun.slice(4)).toEqual(['e', 'f']);
    await end('e');
    await end('f');
    await end('g');
    expect(await Promise.all(again)).toEqual(['e', 'f', 'g']);
  });
});

describe('at most as many as a limit that changes', () => {
  it('a lower one lets those end that run, a higher one lets more begin with the next that ends', async () => {
    const { begun, task, end } = tasks();
    let limit = 3;
    const throttle = atMost(() => limit);
    const runs = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => throttle(task(name)));
    await turn();
    expect(begun).toEqual(['a', 'b', 'c']);
    limit = 1;
    await end('a');
    await end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('c');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    limit = 2;
    await end('d');
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    await end('e');
    await end('f');
    expect(await Promise.all(runs)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});

describe('a turn with a signal', () => {
  it('tasks of one key run one after the other, whatever became of the one before; other keys don’t wait', async () => {
    const oneByOne = atMost(1);
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const fails = async (): Promise<never> => {
      await gate.promise;
      order.push('first');
      throw new Error('failed');
    };
    const first = oneByOne(fails, { key: 'a', signal });
    const second = oneByOne(async () => order.push('second'), { key: 'a', signal });
    await oneByOne(async () => order.push('other'), { key: 'b', signal });
    gate.resolve();
    await expect(first).rejects.toThrow('failed');
    await second;
    expect(order).toEqual(['other', 'first', 'second']);
  });

  it('who gives up waiting is let go, and what goes on still holds up the next', async () => {
    const oneByOne = atMost(1);
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const impatient = new AbortController();
    const slow = async (): Promise<void> => {
      await gate.promise;
      order.push('first');
    };
    const first = oneByOne(slow, { key: 'a', signal: impatient.signal });
    // By now it has begun.
    await new Promise((resolve) => setImmediate(resolve));
    impatient.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    const second = oneByOne(async () => order.push('second'), { key: 'a', signal });
    await new Promise((resolve) => setImmediate(resolve));
    gate.resolve();
    await second;
    expect(order).toEqual(['first', 'second']);
  });

  it('whose turn has come still holds up who asks after it', async () => {
    const oneByOne = atMost(1);
    const order: string[] = [];
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const run = (name: string, gate?: Promise<void>) => {
      const task = async (): Promise<void> => {
        order.push(`${name} begins`);
        await gate;
        order.push(`${name} ends`);
      };
      return oneByOne(task, { key: 'a', signal });
    };
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

  it('who has given up before its turn does nothing', async () => {
    const oneByOne = atMost(1);
    const done: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = oneByOne(() => gate.promise, { key: 'a', signal });
    const gone = new AbortController();
    const second = oneByOne(async () => done.push('second'), { key: 'a', signal: gone.signal });
    gone.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    gate.resolve();
    await first;
    await oneByOne(async () => done.push('third'), { key: 'a', signal });
    expect(done).toEqual(['third']);
  });
});
