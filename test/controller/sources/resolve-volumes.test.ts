import { expect, test } from 'vitest';
import type { Volume } from '../../../src/api/container/volume-fields.ts';
import { SecretValue } from '../../../src/compute/spec/secret-value.ts';
import { resolveVolumes } from '../../../src/controller/sources/resolve-volumes.ts';

/** The files of a volume, with a ConfigMap `app` and a Secret `tls` that have these. */
async function filesOf(volume: Omit<Volume, 'name'>, found: Readonly<Record<string, string>>) {
  const encoded = Object.entries(found).map(([key, text]) => [key, btoa(text)] as const);
  const none = async () => Promise.reject(new Error('nobody asks for that'));
  const sources = {
    provider: 'docker',
    configMaps: { value: none, values: none, files: async () => new Map(encoded) },
    secrets: {
      value: none,
      values: none,
      registryCredentials: none,
      files: async () => new Map(encoded.map(([key, content]) => [key, new SecretValue(content)])),
    },
  };
  const [resolved] = await resolveVolumes([{ name: 'v', ...volume }], sources);
  if (resolved?.kind !== 'files') throw new Error('no files');
  return resolved.files.map(
    ({ path, mode, content }) =>
      `${path} ${mode.toString(8)} ${typeof content === 'string' ? atob(content) : `secret ${atob(content.reveal())}`}`,
  );
}

const refused = (message: string) => ({ code: 'InvalidSpec', message });

test('each key is a file, with the mode of all', async () => {
  const found = { a: 'one', '..b': 'two' };
  expect(await filesOf({ configMap: { name: 'app' } }, found)).toEqual(['a 644 one', '..b 644 two']);
  expect(await filesOf({ secret: { secretName: 'tls', defaultMode: 0o400 } }, found)).toEqual([
    'a 400 secret one',
    '..b 400 secret two',
  ]);
});

test('items choose keys, paths and modes', async () => {
  const items = [
    { key: 'a', path: 'x/y', mode: 0o755 },
    { key: 'a', path: 'z' },
  ];
  expect(await filesOf({ configMap: { name: 'app', items } }, { a: 'one', b: 'two' })).toEqual([
    'x/y 755 one',
    'z 644 one',
  ]);
  expect(await filesOf({ configMap: { name: 'app', items: [] } }, { a: 'one' })).toEqual([]);
});

test.each<
  [what: string, items: readonly string[] | undefined, found: Record<string, string>, message: string]
>([
  ['a key that is not there', ['b=b'], { a: '' }, 'spec.volumes: v: ConfigMap app has no key b; add it'],
  [
    'a key that no file can be called',
    undefined,
    { '..': '' },
    "spec.volumes: v: ConfigMap app: .. can't be the name of a file; choose one by items",
  ],
  [
    'a file below a file',
    ['a=x/y/z', 'a=x/y'],
    { a: '' },
    'spec.volumes: v: x/y/z is below a path that is a file itself',
  ],
  [
    'one key so often that it is too much',
    ['a=x', 'a=y'],
    { a: 'x'.repeat(524_289) },
    'spec.volumes: v: its files have 1048578 bytes together, must have at most 1048576',
  ],
])('%s is InvalidSpec', async (_what, chosen, found, message) => {
  const items = chosen?.map((one) => {
    const [key = '', path = ''] = one.split('=');
    return { key, path };
  });
  await expect(filesOf({ configMap: { name: 'app', items } }, found)).rejects.toMatchObject(refused(message));
});

test('as much as a Secret holds is not too much', async () => {
  expect(await filesOf({ secret: { secretName: 'tls' } }, { a: 'x'.repeat(1_048_576) })).toHaveLength(1);
});
