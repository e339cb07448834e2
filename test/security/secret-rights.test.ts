import { describe, expect, test } from 'vitest';
import { startController } from '../controller/controller-fixture.ts';
import { scriptedProvider } from '../controller/scripted-provider.ts';
import { manifests } from '../deploy/manifests.ts';

/** Manifests that name Secrets, in every way there is. */
const naming = {
  'an environment variable': {
    containers: [
      {
        name: 'app',
        image: 'app:1',
        env: [{ name: 'P', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }],
      },
    ],
  },
  'the source of all variables': {
    containers: [{ name: 'app', image: 'app:1', envFrom: [{ secretRef: { name: 'db' } }] }],
  },
  files: {
    containers: [{ name: 'app', image: 'app:1', volumeMounts: [{ name: 'db', mountPath: '/db' }] }],
    volumes: [{ name: 'db', secret: { secretName: 'db' } }],
  },
  'a credential for the registry': { imagePullSecrets: [{ name: 'regcred' }] },
};
const cases = Object.entries(naming);

/** What the operator asks the apiserver about Secrets for this manifest. */
async function askedOfSecrets(spec: object, secrets: 'values' | 'references'): Promise<string[]> {
  const fixture = await startController([scriptedProvider('ecs', { secrets })]);
  await fixture.putSecret('db', { password: 'hunter2' });
  await fixture.create('acme', { ...spec });
  await fixture.pass(60_000);
  return fixture.apiserver.requests
    .filter(({ user, path }) => user === 'operator' && path.includes('/secrets'))
    .map(({ method }) => method);
}

describe('an operator whose providers take Secrets by reference alone asks for none', () => {
  test.each(cases)('where a manifest names one in %s', async (_where, spec) => {
    expect(await askedOfSecrets(spec, 'references')).toEqual([]);
    // The same manifest does make it ask where the values are needed.
    expect(await askedOfSecrets(spec, 'values')).toContain('GET');
  });
});

test('the rights to Secrets stand in files of their own, which the component no-secrets takes away', () => {
  const onSecrets = (file: string): string[] =>
    manifests(file)
      .filter(({ rules }) => JSON.stringify(rules ?? []).includes('"secrets"'))
      .map(({ metadata }) => metadata.name);
  expect(onSecrets('base/cluster-role.yaml')).toEqual([]);
  expect(onSecrets('base/secrets-role.yaml')).toEqual(['landlord-secrets']);
});
