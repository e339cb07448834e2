import { expect, test } from 'vitest';
import { failedLooks, namedBoth } from '../../dev/demo/endpoint-watch.ts';

const old = 'http://127.0.0.1:32768';
const fresh = 'http://172.17.0.3:8080';

function look(named: string[], answering: string[]) {
  return { named, answering };
}

test('a look has failed where no endpoint of the status answered, or it named none', () => {
  const failed = [look([old, fresh], []), look([], [])];
  const looks = [look([old], [old]), ...failed, look([old, fresh], [fresh])];
  expect(failedLooks({ statuses: [], looks })).toEqual(failed);
});

test('both places were named where one status had an endpoint of the beginning and another one', () => {
  const named = (...statuses: string[][]) => namedBoth({ statuses, looks: [] });
  expect(named([old], [fresh, old], [fresh])).toBe(true);
  expect(named([old], [fresh])).toBe(false);
  expect(named([old], [], [fresh, fresh])).toBe(false);
  expect(named()).toBe(false);
});
