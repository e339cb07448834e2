import { expect, test } from 'vitest';
import { LoginFailures } from '../../../../../../src/compute/providers/docker/engine/ssh/login-failures.ts';

/** When logins are tried that all fail with `words`, in seconds from the first one, over an hour. */
function triesOf(words: string): readonly number[] {
  let nowMs = 0;
  const failures = new LoginFailures(() => nowMs);
  const tries: number[] = [];
  while (nowMs < 3_600_000) {
    tries.push(nowMs / 1_000);
    failures.note(words);
    nowMs += failures.waitMs();
  }
  return tries;
}

test('no ten minutes see five refused keys, which is what fail2ban closes a host for', () => {
  const tries = triesOf('bob@engine.example: Permission denied (publickey).');
  expect(tries.slice(0, 5)).toEqual([0, 60, 180, 420, 720]);
  for (const begin of tries) {
    expect(tries.filter((at) => at >= begin && at <= begin + 600).length).toBeLessThan(5);
  }
});

test('a host that is down is tried at least each 5 seconds', () => {
  const tries = triesOf('ssh: connect to host engine.example port 22: Connection refused');
  const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(5);
  expect(tries.length).toBeLessThan(1_500);
});

test('after one that was of use the count begins anew', () => {
  let nowMs = 0;
  const failures = new LoginFailures(() => nowMs);
  for (let count = 0; count < 5; count += 1) failures.note('Permission denied');
  expect([failures.waitMs(), failures.error().message]).toEqual([300_000, 'ssh: Permission denied']);
  failures.forget();
  expect(failures.waitMs()).toBe(0);
  failures.note('Permission denied');
  nowMs += 59_999;
  expect(failures.waitMs()).toBe(1);
});
