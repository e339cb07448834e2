import { expect, test } from 'vitest';
import { untilAborted } from '../../src/async/until-aborted.ts';

test('resolves when the signal aborts, and no earlier', async () => {
  const controller = new AbortController();
  let over = false;
  const waiting = untilAborted(controller.signal);
  const done = waiting.then(() => (over = true));
  await new Promise(setImmediate);
  expect(over).toBe(false);
  controller.abort();
  expect(await done).toBe(true);
  expect(await waiting).toBeUndefined();
});

test('resolves at once where it has aborted already', async () => {
  await expect(untilAborted(AbortSignal.abort())).resolves.toBeUndefined();
});
