import { expect, test } from 'vitest';
import { createConfigMapReader } from '../../../src/controller/sources/config-map-reader.ts';
import type { ConfigMapObject } from '../../../src/controller/sources/source.ts';
import { KubeApiError } from '../../../src/kube/client/kube-api-error.ts';

const { signal } = new AbortController();

/** A reader of the namespace team-a over these ConfigMaps, by namespace and name, and what it has asked for. */
function readerOf(objects: Readonly<Record<string, Pick<ConfigMapObject, 'data' | 'binaryData'>>>) {
  const asked: string[] = [];
  const get = async (name: string, namespace: string | undefined) => {
    const key = `${namespace}/${name}`;
    asked.push(key);
    const found = objects[key];
    const metadata = { name, uid: 'u', resourceVersion: '1', creationTimestamp: '' };
    return found === undefined ? undefined : { ...found, metadata };
  };
  return { asked, reader: createConfigMapReader({ get }, 'team-a', signal) };
}

test('values are text as it is, and a ConfigMap is read once however many are taken', async () => {
  const { asked, reader } = readerOf({
    'team-a/app': { data: { region: 'hütte', empty: '' }, binaryData: { logo: 'AAA=' } },
  });
  expect(await reader.value('app', 'region')).toBe('hütte');
  expect(await reader.value('app', 'empty')).toBe('');
  expect([...(await reader.values('app'))]).toEqual([
    ['region', 'hütte'],
    ['empty', ''],
  ]);
  expect([...(await reader.files('app'))]).toEqual([
    ['region', Buffer.from('hütte').toString('base64')],
    ['empty', ''],
    ['logo', 'AAA='],
  ]);
  expect(asked).toEqual(['team-a/app']);
});

test.each<[what: string, name: string, message: string]>([
  ['that is not there', 'none', 'ConfigMap none does not exist in namespace team-a; create it'],
  [
    "of another tenant's namespace",
    'theirs',
    'ConfigMap theirs does not exist in namespace team-a; create it',
  ],
  ['without that key', 'app', 'ConfigMap app in namespace team-a has no key region; add it'],
  ['without data', 'bare', 'ConfigMap bare in namespace team-a has no key region; add it'],
  [
    'that has it as bytes',
    'bytes',
    'ConfigMap bytes in namespace team-a has region in binaryData, not as text',
  ],
])('a ConfigMap %s is InvalidSpec', async (_what, name, message) => {
  const { reader } = readerOf({
    'team-a/app': { data: { other: '' } },
    'team-a/bare': {},
    'team-a/bytes': { binaryData: { region: '' } },
    'team-b/theirs': { data: { region: 'x' } },
  });
  await expect(reader.value(name, 'region')).rejects.toMatchObject({ code: 'InvalidSpec', message });
});

test('one that may not be read is AccessDenied, and says what to grant', async () => {
  const get = async () => Promise.reject(new KubeApiError('configmaps app', 403, { reason: 'Forbidden' }));
  await expect(createConfigMapReader({ get }, 'team-a', signal).values('app')).rejects.toMatchObject({
    code: 'AccessDenied',
    message: expect.stringMatching(
      /^ConfigMap app: .* ConfigMaps in namespace team-a; grant get, list and watch on configmaps/,
    ) as string,
  });
});
