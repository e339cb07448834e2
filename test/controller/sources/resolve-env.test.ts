import { describe, expect, test } from 'vitest';
import type { Container } from '../../../src/api/compute-fields.ts';
import { SecretValue } from '../../../src/compute/spec/secret-value.ts';
import { resolveEnv } from '../../../src/controller/sources/resolve-env.ts';

type Values = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The environment of a container, where these Secrets and ConfigMaps are. `by`: how Secrets travel. */
async function resolve(
  container: Pick<Container, 'env' | 'envFrom'>,
  { secrets = {}, configMaps = {} }: { readonly secrets?: Values; readonly configMaps?: Values } = {},
  by: 'values' | 'references' = 'values',
) {
  const secret = {
    value: async (name: string, key: string) => new SecretValue(secrets[name]?.[key] ?? ''),
    values: async (name: string) =>
      new Map(Object.entries(secrets[name] ?? {}).map(([key, value]) => [key, new SecretValue(value)])),
    files: async () => new Map<string, SecretValue>(),
    registryCredentials: async () => [],
  };
  const configMap = {
    value: async (name: string, key: string) => configMaps[name]?.[key] ?? '',
    values: async (name: string) => new Map(Object.entries(configMaps[name] ?? {})),
    files: async () => new Map<string, string>(),
  };
  const sources = {
    provider: 'ecs',
    secrets: by === 'values' ? secret : undefined,
    configMaps: configMap,
  };
  const env = await resolveEnv({ name: 'app', ...container }, sources);
  return Object.fromEntries(
    env.map((one) => [one.name, 'value' in one ? one.value : `secret ${one.secret?.reveal()}`]),
  );
}

const refusal = (message: RegExp) => ({
  code: 'InvalidSpec',
  message: expect.stringMatching(message) as string,
});

describe('the environment of a container', () => {
  const secrets = { db: { USER: 'acme', PASSWORD: 'one' } };
  const configMaps = { app: { USER: 'nobody', REGION: 'eu' }, more: { REGION: 'us' } };

  test('has all keys of its sources, a later one over an earlier one, and its own over all', async () => {
    const envFrom = [
      { secretRef: { name: 'db' } },
      { configMapRef: { name: 'app' } },
      { configMapRef: { name: 'more' }, prefix: 'MORE_' },
    ];
    expect(
      await resolve({ envFrom, env: [{ name: 'REGION', value: 'own' }] }, { secrets, configMaps }),
    ).toEqual({
      USER: 'nobody',
      PASSWORD: 'secret one',
      REGION: 'own',
      MORE_REGION: 'us',
    });
    expect((await resolve({ envFrom: envFrom.toReversed() }, { secrets, configMaps }))['USER']).toBe(
      'secret acme',
    );
  });

  test('has a key of a ConfigMap as a plain value, by whichever way Secrets travel', async () => {
    const env = [{ name: 'WHERE', valueFrom: { configMapKeyRef: { name: 'app', key: 'REGION' } } }];
    expect(await resolve({ env }, { configMaps })).toEqual({ WHERE: 'eu' });
    const envFrom = [{ configMapRef: { name: 'more' } }];
    expect(await resolve({ env, envFrom }, { configMaps }, 'references')).toEqual({
      WHERE: 'eu',
      REGION: 'us',
    });
  });

  test('has no Secret as a whole where the engine takes them key by key', async () => {
    const envFrom = [{ configMapRef: { name: 'app' } }, { secretRef: { name: 'db' } }];
    await expect(resolve({ envFrom }, { secrets, configMaps }, 'references')).rejects.toMatchObject(
      refusal(
        /^spec.containers: container app: envFrom\[1\].secretRef: the provider ecs .* each key of db in env, by valueFrom.secretKeyRef$/,
      ),
    );
  });
});

describe('a key that is the name of no variable', () => {
  const configMaps = { app: { '1st': '', '2nd': '', GOOD: '', '3rd': '', '4th': '', ['a'.repeat(253)]: '' } };

  test('is named, and not left out without a word', async () => {
    await expect(
      resolve({ envFrom: [{ configMapRef: { name: 'app' } }] }, { configMaps }),
    ).rejects.toMatchObject(
      refusal(/envFrom\[0\]: ConfigMap app: 1st, 2nd, 3rd and 1 more can't be the name of a variable/),
    );
    const secrets = { db: { '1st': 'hunter2' } };
    await expect(resolve({ envFrom: [{ secretRef: { name: 'db' } }] }, { secrets })).rejects.toMatchObject(
      refusal(/^(?!.*hunter2).*envFrom\[0\]: Secret db: 1st can't be/),
    );
  });

  test('may be one with its prefix, and another be too long with it', async () => {
    const envFrom = [{ configMapRef: { name: 'app' }, prefix: 'A_' }];
    await expect(resolve({ envFrom }, { configMaps })).rejects.toMatchObject(
      refusal(/ConfigMap app: A_a{62} can't be the name of a variable/),
    );
    expect(await resolve({ envFrom }, { configMaps: { app: { '1st': 'x' } } })).toEqual({ A_1st: 'x' });
  });
});

describe('what no process can be given is refused, and quotes no value', () => {
  const fromSecret = { envFrom: [{ secretRef: { name: 'db' } }] };

  test('a value with NUL in it', async () => {
    const secrets = { db: { PASSWORD: 'hunter2\0' } };
    await expect(resolve(fromSecret, { secrets })).rejects.toMatchObject(
      refusal(/^(?!.*hunter2).*container app: variable PASSWORD: its value contains NUL/),
    );
  });

  test('more than its stack holds', async () => {
    const a = 'x'.repeat(1_048_575);
    expect(Object.keys(await resolve(fromSecret, { secrets: { db: { A: a } } }))).toEqual(['A']);
    await expect(resolve(fromSecret, { secrets: { db: { A: a, B: '' } } })).rejects.toMatchObject(
      refusal(/container app: its environment has 1048577 characters, must have at most 1048576$/),
    );
  });
});
