import { describe, expect, it, onTestFinished } from 'vitest';
import { sharedRun } from '../../src/async/shared-run.ts';
import { outcome, tasks, turn } from './tasks.ts';

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

  it('that fails after its only asker has given up ends nothing else', async () => {
    const unheard: unknown[] = [];
    const listener = (error: unknown): void => void unheard.push(error);
    process.on('unhandledRejection', listener);
    onTestFinished(() => void process.off('unhandledRejection', listener));
    const ask = sharedRun(() => Promise.reject(new Error('no')));
    expect(await outcome(ask(AbortSignal.abort(new Error('enough'))))).toBe('failed: enough');
    await turn();
    await turn();
    expect(unheard).toEqual([]);
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
