import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/client/kube-object.ts';
import { compareResourceVersions, keyOf, objectKey } from '../../../src/kube/client/kube-object.ts';
import { createObjectCache } from '../../../src/kube/cache/object-cache.ts';
import type { CacheEvent } from '../../../src/kube/cache/object-cache.ts';

function object(name: string, resourceVersion: number | string, uid = `uid-${name}`): KubeObject {
  const metadata = {
    name,
    namespace: 'ns',
    uid,
    resourceVersion: String(resourceVersion),
    creationTimestamp: '',
  };
  return { metadata };
}

function snapshot(...objects: KubeObject[]): Map<string, KubeObject> {
  return new Map(objects.map((item) => [keyOf(item), item]));
}

function shown(events: CacheEvent<KubeObject>[]): string[] {
  return events.map(
    ({ type, object: { metadata } }) => `${type} ${metadata.name}@${metadata.resourceVersion}`,
  );
}

test('resource versions compare as integers of any length', () => {
  expect(compareResourceVersions('9', '10')).toBeLessThan(0);
  expect(compareResourceVersions('9007199254740993', '9007199254740992')).toBeGreaterThan(0);
  expect(compareResourceVersions('9007199254740992', '9007199254740993')).toBeLessThan(0);
  expect(compareResourceVersions('7', '7')).toBe(0);
});

test('the key of an object names its namespace where it has one', () => {
  expect(objectKey('ns', 'a')).toBe('ns/a');
  expect(objectKey(undefined, 'a')).toBe('a');
  expect(objectKey('', 'a')).toBe('a');
});

describe('a new state', () => {
  test('tells only of objects that changed', () => {
    const cache = createObjectCache<KubeObject>();
    expect(shown(cache.replace(snapshot(object('a', 1), object('b', 2), object('c', 3)), '3'))).toEqual([
      'added a@1',
      'added b@2',
      'added c@3',
    ]);
    expect(shown(cache.replace(snapshot(object('a', 1), object('b', 5), object('d', 6)), '6'))).toEqual([
      'deleted c@3',
      'updated b@5',
      'added d@6',
    ]);
    expect(cache.size).toBe(3);
  });

  test('with another UID under the same name is a deletion and an addition', () => {
    const cache = createObjectCache<KubeObject>();
    cache.replace(snapshot(object('a', 1, 'old')), '1');
    expect(shown(cache.replace(snapshot(object('a', 9, 'new')), '9'))).toEqual(['deleted a@1', 'added a@9']);
  });

  test('may be older than the cache: after etcd was restored, the server is right', () => {
    const cache = createObjectCache<KubeObject>();
    cache.replace(snapshot(object('a', 100)), '100');
    expect(shown(cache.replace(snapshot(object('a', 50)), '60'))).toEqual(['updated a@50']);
  });

  test('keeps own writes that are newer than it', () => {
    const cache = createObjectCache<KubeObject>();
    cache.replace(snapshot(object('a', 1)), '1');
    cache.beginReplace();
    cache.assume(object('a', 8));
    cache.assume(object('new', 9));
    expect(cache.replace(snapshot(object('a', 1)), '5')).toEqual([]);
    expect(cache.get('ns/a')?.metadata.resourceVersion).toBe('8');
    expect(cache.get('ns/new')).toBeDefined();
  });

  test('does not keep own writes that it includes', () => {
    const cache = createObjectCache<KubeObject>();
    cache.beginReplace();
    cache.assume(object('a', 8));
    expect(shown(cache.replace(snapshot(), '8'))).toEqual(['deleted a@8']);
  });

  test('does not keep own writes of before it was gathered', () => {
    const cache = createObjectCache<KubeObject>();
    cache.beginReplace();
    cache.assume(object('a', 8));
    cache.replace(snapshot(), '5');
    cache.beginReplace();
    expect(shown(cache.replace(snapshot(), '6'))).toEqual(['deleted a@8']);
  });

  test('does not bring an own write back that was deleted while it was gathered', () => {
    const cache = createObjectCache<KubeObject>();
    cache.beginReplace();
    cache.assume(object('a', 8));
    cache.remove(object('a', 9));
    expect(cache.replace(snapshot(), '7')).toEqual([]);
    expect(cache.size).toBe(0);
  });

  test('does not keep own writes that it is newer than', () => {
    const cache = createObjectCache<KubeObject>();
    cache.beginReplace();
    cache.assume(object('a', 8));
    expect(shown(cache.replace(snapshot(), '9'))).toEqual(['deleted a@8']);
  });
});

describe('watch events', () => {
  test('that the cache knows already cause nothing', () => {
    const cache = createObjectCache<KubeObject>();
    expect(shown(cache.upsert(object('a', 5)))).toEqual(['added a@5']);
    expect(cache.upsert(object('a', 5))).toEqual([]);
    expect(cache.upsert(object('a', 4))).toEqual([]);
    expect(shown(cache.upsert(object('a', 10)))).toEqual(['updated a@10']);
  });

  test('with a new UID are a deletion and an addition', () => {
    const cache = createObjectCache<KubeObject>();
    cache.upsert(object('a', 5, 'old'));
    expect(shown(cache.upsert(object('a', 9, 'new')))).toEqual(['deleted a@5', 'added a@9']);
  });

  test('that delete an earlier object of the same name leave the present one', () => {
    const cache = createObjectCache<KubeObject>();
    cache.upsert(object('a', 9, 'new'));
    expect(cache.remove(object('a', 8, 'old'))).toEqual([]);
    expect(cache.size).toBe(1);
  });
});

describe('an own write', () => {
  test('is seen at once, and its echo causes nothing', () => {
    const cache = createObjectCache<KubeObject>();
    cache.upsert(object('a', 5));
    expect(cache.assume(object('a', 6))).toBe(true);
    expect(cache.get('ns/a')?.metadata.resourceVersion).toBe('6');
    expect(cache.upsert(object('a', 6))).toEqual([]);
    expect(shown(cache.upsert(object('a', 7)))).toEqual(['updated a@7']);
  });

  test('does not replace what is newer', () => {
    const cache = createObjectCache<KubeObject>();
    cache.upsert(object('a', 10));
    expect(cache.assume(object('a', 9))).toBe(false);
    expect(cache.get('ns/a')?.metadata.resourceVersion).toBe('10');
  });

  test('does not bring a deleted object back', () => {
    const cache = createObjectCache<KubeObject>();
    cache.upsert(object('a', 5));
    cache.remove(object('a', 7));
    expect(cache.assume(object('a', 6))).toBe(false);
    expect(cache.size).toBe(0);
  });

  test('does not bring back an object that a new state no longer had', () => {
    const cache = createObjectCache<KubeObject>();
    cache.upsert(object('a', 5));
    cache.replace(snapshot(), '9');
    expect(cache.assume(object('a', 6))).toBe(false);
  });

  test('of an object that was recreated meanwhile does not replace its successor', () => {
    const cache = createObjectCache<KubeObject>();
    cache.upsert(object('a', 5, 'old'));
    cache.upsert(object('a', 9, 'new'));
    expect(cache.assume(object('a', 6, 'old'))).toBe(false);
    expect(cache.get('ns/a')?.metadata.uid).toBe('new');
  });

  test('of an object that is new is news, and the same one a second time is not', () => {
    const cache = createObjectCache<KubeObject>();
    expect(cache.assume(object('a', 5))).toBe(true);
    expect(cache.assume(object('a', 5))).toBe(false);
    expect([...cache.values()]).toEqual([object('a', 5)]);
  });

  test('does not bring back an object whose successor of the same name is gone too', () => {
    const cache = createObjectCache<KubeObject>();
    cache.upsert(object('a', 5, 'old'));
    cache.upsert(object('a', 9, 'new'));
    cache.remove(object('a', 10, 'new'));
    expect(cache.assume(object('a', 6, 'old'))).toBe(false);
    expect(cache.assume(object('a', 11, 'new'))).toBe(false);
  });

  test('is taken again after a new state had the object again', () => {
    const cache = createObjectCache<KubeObject>();
    cache.upsert(object('a', 5));
    cache.remove(object('a', 6));
    cache.replace(snapshot(object('a', 7)), '7');
    expect(cache.assume(object('a', 8))).toBe(true);
  });

  test('of the last 4096 deleted objects is known for what it is, and the memory has an end', () => {
    const cache = createObjectCache<KubeObject>();
    for (let index = 0; index <= 4096; index += 1) cache.remove(object(`o${index}`, 5));
    expect(cache.assume(object('o1', 4))).toBe(false);
    expect(cache.assume(object('o0', 4))).toBe(true);
  });

  test('is taken again after the object left the selection and came back', () => {
    const cache = createObjectCache<KubeObject>();
    cache.upsert(object('a', 5));
    cache.remove(object('a', 6));
    cache.upsert(object('a', 7));
    expect(cache.assume(object('a', 8))).toBe(true);
  });
});
