import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import { silentEngine } from '../../../../../src/compute/providers/docker/engine/engine-errors.ts';
import { guardEngine } from '../../../../../src/compute/providers/docker/engine/engine-guard.ts';
import { memoryEngine } from '../memory-engine.ts';

const signal = new AbortController().signal;
const unreachable = new ComputeError('ProviderUnavailable', 'the engine is out of reach');

/** A guarded engine that answers nothing while there is a `trouble.error`, with which its calls fail. */
function bench() {
  const engine = memoryEngine();
  const trouble: { error: Error | undefined } = { error: undefined };
  const list = engine.listContainers.bind(engine);
  engine.listContainers = async (...args) => {
    const answer = await list(...args);
    if (trouble.error !== undefined) throw trouble.error;
    return answer;
  };
  engine.ping = async () => {
    engine.calls.push('ping');
    if (trouble.error !== undefined) throw trouble.error;
  };
  const guard = guardEngine(engine);
  const onDown = vi.fn<() => void>();
  const call = (aborted = signal) => guard.engine.listContainers([], aborted);
  const asked = () => engine.calls.filter((name) => name === 'listContainers').length;
  return { engine, guard, trouble, onDown, call, asked };
}

describe('armed', () => {
  it('the first call that finds the engine out of reach is told of, and the next ones are not made', async () => {
    const { guard, trouble, onDown, call, asked } = bench();
    guard.arm(onDown);
    trouble.error = unreachable;
    await expect(call()).rejects.toBe(unreachable);
    const { code, message } = unreachable;
    await expect(call()).rejects.toMatchObject({ code, message, cause: unreachable });
    await expect(call()).rejects.not.toBe(unreachable);
    expect(() => guard.check()).toThrow(message);
    expect(asked()).toBe(1);
    expect(onDown).toHaveBeenCalledTimes(1);
  });

  it('calls that were under way together are told of once', async () => {
    const { guard, trouble, onDown, call, asked } = bench();
    guard.arm(onDown);
    trouble.error = unreachable;
    expect((await Promise.allSettled([call(), call()])).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
    ]);
    expect(asked()).toBe(2);
    expect(onDown).toHaveBeenCalledTimes(1);
  });

  it('what answers, and what the engine merely refuses, holds up nobody', async () => {
    const { guard, trouble, onDown, call } = bench();
    guard.arm(onDown);
    await expect(call()).resolves.toEqual([]);
    for (const error of [new ComputeError('AccessDenied', 'no'), new Error('no')]) {
      trouble.error = error;
      await expect(call()).rejects.toBe(error);
    }
    expect(() => guard.check()).not.toThrow();
    expect(onDown).not.toHaveBeenCalled();
  });

  it('a call that was given up by its caller says nothing of the engine', async () => {
    const { guard, trouble, onDown, call } = bench();
    guard.arm(onDown);
    trouble.error = unreachable;
    await expect(call(AbortSignal.abort())).rejects.toBe(unreachable);
    expect(() => guard.check()).not.toThrow();
    expect(onDown).not.toHaveBeenCalled();
  });

  it.each([
    ['inspectContainer', 'startContainer', 'createContainer'],
    ['inspectNetwork', 'createNetwork', 'removeNetwork'],
    ['inspectVolume', 'createVolume', 'removeVolume'],
    ['inspectImage'],
  ] as const)('one thing that is broken alone says nothing of the engine: %s', async (...calls) => {
    const { engine, guard, onDown } = bench();
    guard.arm(onDown);
    const broken = new ComputeError('ProviderUnavailable', 'Docker Engine answered 500: no');
    for (const call of calls) {
      Object.assign(engine, { [call]: () => Promise.reject(broken) });
      await expect(Reflect.apply(guard.engine[call], engine, ['one', signal])).rejects.toBe(broken);
    }
    expect(() => guard.check()).not.toThrow();
    expect(onDown).not.toHaveBeenCalled();
  });

  it('a container that is broken alone says nothing of the engine, and a connection that breaks does where a new one does, too', async () => {
    const { engine, guard, onDown, trouble } = bench();
    guard.arm(onDown);
    const broken = new ComputeError('ProviderUnavailable', 'RWLayer is unexpectedly nil');
    const lost = new ComputeError('ProviderUnavailable', 'ECONNRESET', { cause: new Error('ECONNRESET') });
    const failing = { error: broken };
    const fail = async (): Promise<never> => {
      throw failing.error;
    };
    const { engine: guarded } = guard;
    Object.assign(engine, { inspectContainer: fail, startContainer: fail });
    await expect(guarded.inspectContainer('app', signal)).rejects.toBe(broken);
    await expect(guarded.startContainer('app', signal)).rejects.toBe(broken);
    expect(() => guard.check()).not.toThrow();
    expect(onDown).not.toHaveBeenCalled();
    failing.error = lost;
    await expect(guarded.inspectContainer('app', signal)).rejects.toBe(lost);
    expect(() => guard.check()).not.toThrow();
    trouble.error = lost;
    await expect(guarded.inspectContainer('app', signal)).rejects.toBe(lost);
    expect(() => guard.check()).toThrow('ECONNRESET');
    expect(onDown).toHaveBeenCalledTimes(1);
  });

  it('whatever call fails, an engine that answers is not down: those who ask share one question', async () => {
    const { engine, guard, onDown } = bench();
    guard.arm(onDown);
    const late = silentEngine('unix:///memory.sock');
    engine.listContainers = () => Promise.reject(late);
    const calls = ['a', 'b'].map((label) => guard.engine.listContainers([label], signal));
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected');
    expect(() => guard.check()).not.toThrow();
    expect(onDown).not.toHaveBeenCalled();
    expect(engine.calls).toEqual(['ping']);
  });

  it('silence about one thing is told as that, where the engine answers', async () => {
    const { engine, guard, onDown } = bench();
    guard.arm(onDown);
    engine.inspectContainer = () => Promise.reject(silentEngine('unix:///memory.sock'));
    await expect(guard.engine.inspectContainer('app', signal)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: expect.stringContaining('answers, but not about this') as string,
    });
    expect(() => guard.check()).not.toThrow();
  });

  it('an engine that does not say within 5 s that it is there is down', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { engine, guard, onDown } = bench();
    guard.arm(onDown);
    const late = silentEngine('unix:///memory.sock');
    engine.inspectContainer = () => Promise.reject(late);
    engine.ping = async () => new Promise(() => undefined);
    const call = guard.engine.inspectContainer('app', signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(onDown).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await call).toBe(late);
    expect(onDown).toHaveBeenCalledTimes(1);
    expect(() => guard.check()).toThrow(late.message);
  });

  it('an engine that answers again is open to all, and it is told whether it was down', async () => {
    const { guard, trouble, onDown, call } = bench();
    guard.arm(onDown);
    expect(guard.up()).toBe(false);
    trouble.error = unreachable;
    await expect(call()).rejects.toBe(unreachable);
    trouble.error = undefined;
    expect(guard.up()).toBe(true);
    expect(guard.up()).toBe(false);
    await expect(call()).resolves.toEqual([]);
  });
});

it('without anybody who looks after the engine, every call is made', async () => {
  const { guard, trouble, onDown, call, asked } = bench();
  trouble.error = unreachable;
  await expect(call()).rejects.toBe(unreachable);
  await expect(call()).rejects.toBe(unreachable);
  guard.arm(onDown);
  await expect(call()).rejects.toBe(unreachable);
  guard.disarm();
  await expect(call()).rejects.toBe(unreachable);
  await expect(call()).rejects.toBe(unreachable);
  expect(asked()).toBe(5);
});

it('the first word that the engine is down stands', () => {
  const { guard } = bench();
  guard.down(unreachable);
  guard.down(new ComputeError('AccessDenied', 'later'));
  expect(() => guard.check()).toThrow(unreachable.message);
});

it('pulls, events and the close are never refused: they speak of something else', async () => {
  const { engine, guard } = bench();
  const close = vi.fn<() => void>();
  engine.close = close;
  guard.down(unreachable);
  await guard.engine.pullImage('app:1', undefined, () => undefined, signal);
  for await (const event of guard.engine.events([], () => undefined, AbortSignal.abort()))
    expect(event).toBeUndefined();
  guard.engine.close();
  expect(engine.calls).toEqual(['pullImage', 'events']);
  expect(close).toHaveBeenCalledTimes(1);
});
