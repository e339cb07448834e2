import { describe, expect, it } from 'vitest';
import { sharedRun } from '../../src/async/shared-run.ts';
import { atMost, oneAtATime } from '../../src/async/task-order.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What comes of a task, as a value: nobody handles the rejection of one that is only looked at later. */
const outcome = (run: Promise<string> | undefined) =>
  (run ?? Promise.reject(new Error('no run'))).catch(({ message }: Error) => `failed: ${message}`);

/** Tasks that note when they begin, and end when they are told to. */
function tasks() {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const task = (name: string) => async (): Promise<string> => {
    begun.push(name);
    await new Promise<void>((resolve, reject) => {
      ends.set(name, (error) => (error === undefined ? resolve() : reject(error)));
    });
    return name;
  };
  const end = async (name: string, error?: Error): Promise<void> => {
    ends.get(name)?.(error);
    await turn();
  };
  return { begun, task, end };
}

describe('one at a time', () => {
  it('those of one key wait for each other, in order, also for one that fails; others do not', async () => {
    const { begun, task, end } = tasks();
    const inOrder = oneAtATime();
    const runs = ['a', 'b', 'c'].map((name) => inOrder('key', task(name)));
    const failed = outcome(runs[0]);
    const other = inOrder('other', task('other'));
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
    const inOrder = oneAtATime();
    const first = inOrder('key', task('a'));
    const second = inOrder('key', task('b'));
    await end('a');
    await first;
    const third = inOrder('key', task('c'));
    await turn();
    expect(begun).toEqual(['a', 'b']);
    await end('b');
    await end('c');
    expect(await Promise.all([second, third])).toEqual(['b', 'c']);
    void inOrder('key', task('d'));
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

describe('a shared run', () => {
  const signal = new AbortController().signal;

  it('serves all who asked before it began, and nobody who asked later', async () => {
    const { begun, task, end } = tasks();
    let count = 0;
    const ask = sharedRun(async () => task(`run ${(count += 1)}`)());
    const early = [ask(signal), ask(signal)];
    await turn();
    await turn();
    const late = [ask(signal), ask(signal)];
    await turn();
    await turn();
    expect(begun).toEqual(['run 1']);
    await end('run 1');
    await turn();
    expect(begun).toEqual(['run 1', 'run 2']);
    await end('run 2');
    expect(await Promise.all([...early, ...late])).toEqual(['run 1', 'run 1', 'run 2', 'run 2']);
  });

  it('that fails tells those who asked, and the next one begins all the same', async () => {
    const { task, end } = tasks();
    let count = 0;
    const ask = sharedRun(async () => task(`run ${(count += 1)}`)());
    const first = outcome(ask(signal));
    await turn();
    await turn();
    const second = ask(signal);
    await end('run 1', new Error('no'));
    expect(await first).toBe('failed: no');
    await turn();
    await end('run 2');
    expect(await second).toBe('run 2');
  });

  it('goes on for the others where one gives up', async () => {
    const { task, end } = tasks();
    const ask = sharedRun(task('run'));
    const controller = new AbortController();
    const gone = outcome(ask(controller.signal));
    const stays = ask(signal);
    controller.abort(new Error('enough'));
    expect(await gone).toBe('failed: enough');
    expect(await outcome(ask(controller.signal))).toBe('failed: enough');
    await turn();
    await end('run');
    expect(await stays).toBe('run');
  });
});
