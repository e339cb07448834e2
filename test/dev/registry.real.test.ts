import { expect, it, onTestFinished } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { startRegistry } from '../../dev/registry.ts';
import type { Registry, RegistryCredentials } from '../../dev/registry.ts';

async function start(auth?: RegistryCredentials): Promise<Registry> {
  const registry = await startRegistry(auth ? { auth } : {});
  onTestFinished(() => registry.stop());
  return registry;
}

async function digestOf(registry: Registry, repository: string, tag: string): Promise<string | null> {
  const response = await fetch(`http://${registry.address}/v2/${repository}/manifests/${tag}`, {
    headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
  });
  return response.headers.get('docker-content-digest');
}

it('a registry with a password refuses who does not have it', async () => {
  const registry = await start({ user: 'tenant', password: 'pässword' });
  const image = { repository: 'app', tag: '1' };
  await expect(pushImage(registry, image)).resolves.toBe(`${registry.address}/app:1`);
  await expect(pushImage({ ...registry, auth: undefined }, image)).rejects.toThrow('HTTP 401');
  const wrong = { ...registry, auth: { user: 'tenant', password: 'password' } };
  await expect(pushImage(wrong, image)).rejects.toThrow('HTTP 401');
});

it('images that differ in version are different, and equal ones are equal', async () => {
  const registry = await start();
  await pushImage(registry, { repository: 'app', tag: '1' });
  await pushImage(registry, { repository: 'app', tag: '2' });
  await pushImage(registry, { repository: 'app', tag: 'again', version: '1' });
  const [one, two, again] = await Promise.all(
    ['1', '2', 'again'].map((tag) => digestOf(registry, 'app', tag)),
  );
  expect(one).toMatch(/^sha256:/);
  expect(two).not.toBe(one);
  expect(again).toBe(one);
});

it('a paused registry takes connections and says nothing', async () => {
  const registry = await start();
  registry.pause();
  const silent = fetch(`http://${registry.address}/v2/`, { signal: AbortSignal.timeout(300) });
  await expect(silent).rejects.toThrow('timeout');
  registry.resume();
  expect((await fetch(`http://${registry.address}/v2/`)).status).toBe(200);
});
