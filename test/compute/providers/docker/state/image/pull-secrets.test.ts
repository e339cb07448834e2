import { expect, it } from 'vitest';
import { SecretValue } from '../../../../../../src/compute/spec/secret-value.ts';
import { containerSpec, drivenDocker, tenantSpec } from '../../docker-fixture.ts';
import { memoryEngine } from '../../memory-engine.ts';

const signal = new AbortController().signal;

const specOf = (images: readonly string[], registries: Readonly<Record<string, string>>) =>
  tenantSpec(
    {},
    {
      containers: images.map((image, index) => containerSpec(`c${index}`, { image })),
      imagePullSecrets: ['none', ...Object.keys(registries)],
      imagePullCredentials: Object.entries(registries).map(([secret, registry]) => ({
        registry,
        username: 'u',
        password: new SecretValue('p'),
        secret,
      })),
    },
  );
const useless = (name: string) =>
  `Secret ${name} of spec.imagePullSecrets has no credentials for any of the images`;

it('a Secret that is of no use to any image is named, be it empty or for another registry', () => {
  const { bare } = drivenDocker(memoryEngine([]));
  const spec = specOf(['r.example/app:1', 'nginx'], {
    right: 'r.example',
    wrong: 'registry.example',
    hub: 'docker.io',
  });
  expect(bare.desired(spec).notes).toEqual([useless('none'), useless('wrong')]);
});

it('and so it is where an image can not be had', async () => {
  const engine = memoryEngine([]);
  const provider = drivenDocker(engine);
  const spec = specOf(['missing:1'], { wrong: 'r.example' });
  await provider.provision(spec, signal);
  await new Promise((resolve) => setImmediate(resolve));
  await expect(provider.provision(spec, signal)).rejects.toMatchObject({
    code: 'ImageUnavailable',
    message: expect.stringMatching(
      new RegExp(`missing:1.*; ${useless('none')}; ${useless('wrong')}$`),
    ) as string,
  });
});
