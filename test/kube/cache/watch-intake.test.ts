import { expect, test } from 'vitest';
import { createFollowedState } from '../../../src/kube/cache/followed-state.ts';
import { createObjectCache } from '../../../src/kube/cache/object-cache.ts';
import { createWatchIntake } from '../../../src/kube/cache/watch-intake.ts';
import { KubeApiError } from '../../../src/kube/client/kube-api-error.ts';
import type { KubeObject } from '../../../src/kube/client/kube-object.ts';
import { bookmark, expired, object } from '../scripted-resource.ts';

function intakeOf(sendInitialEvents: boolean) {
  const told: string[] = [];
  const cache = createObjectCache<KubeObject>();
  const state = createFollowedState<KubeObject>({
    cache,
    transform: (item) => item,
    onEvent: (event) => told.push(`${event.type} ${event.object.metadata.name}`),
    onReplaced: ({ objects, changed }) => told.push(`replaced by ${objects}, ${changed} changed`),
    onSynced: () => told.push('synced'),
  });
  const options = {
    what: 'widgets',
    sendInitialEvents,
    onChange: () => undefined,
    onComplete: () => told.push('complete'),
  };
  return { told, cache, state, intake: createWatchIntake(state, options) };
}

test('the whole state is gathered beside the cache, and replaces it at the bookmark that ends it', () => {
  const { told, cache, state, intake } = intakeOf(true);
  intake.take({ type: 'ADDED', object: object('a', 1) });
  intake.take({ type: 'ADDED', object: object('b', 2) });
  intake.take({ type: 'DELETED', object: object('b', 3) });
  intake.take(bookmark(3));
  expect([cache.size, state.version(), intake.isInitial()]).toEqual([0, undefined, true]);
  intake.take(bookmark(4, true));
  expect(told).toEqual(['replaced by 1, 1 changed', 'added a', 'synced', 'complete']);
  expect([cache.size, state.version(), intake.isInitial()]).toEqual([1, '4', false]);
  expect([intake.received(), intake.changes()]).toEqual([5, 3]);
});

test('then each change is told, and moves the version on, as a bookmark does', () => {
  const { told, state, intake } = intakeOf(false);
  intake.take({ type: 'ADDED', object: object('a', 5) });
  expect(state.version()).toBe('5');
  intake.take({ type: 'MODIFIED', object: object('a', 6) });
  intake.take({ type: 'DELETED', object: object('a', 7) });
  intake.take(bookmark(9));
  expect(told).toEqual(['added a', 'updated a', 'deleted a']);
  expect(state.version()).toBe('9');
  state.forgetVersion();
  expect(state.version()).toBeUndefined();
});

test('an ERROR is thrown as what it is', () => {
  const { state, intake } = intakeOf(false);
  expect(() => intake.take(expired())).toThrow(KubeApiError);
  expect(state.version()).toBeUndefined();
});

test('an object of the version that the cache has already is not kept twice', () => {
  const { cache, state } = intakeOf(false);
  const first = object('a', 1);
  state.change('ADDED', first);
  const snapshot = state.beginSnapshot();
  snapshot.keep(object('a', 1));
  snapshot.complete('2');
  expect(cache.get('ns/a')).toBe(first);
});
