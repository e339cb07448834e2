import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { removeImagesOf } from '../../dev/shared-engine-remains.ts';
import { pushImage } from '../../dev/images.ts';
import { startRegistry } from '../../dev/registry.ts';
import type { Registry } from '../../dev/registry.ts';
import { findCondition } from '../../src/api/conditions.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { recordingStream } from './recording-stream.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

const ready = (tenant: Tenant) => findCondition(tenant.status?.conditions, 'Ready');
const user = 'tenant-user';
const rightPassword = 'r1ght-s3cr3t-password';
const wrongPassword = 'wr0ng-s3cr3t-password';
const dockerConfigType = 'kubernetes.io/dockerconfigjson';

describe.concurrent('Secrets of Tenants on Docker', () => {
  const view = engineView();
  const log = recordingStream();
  let ns: TestNamespace;
  let operator: TestOperator;
  let registry: Registry;
  let openImage: string;

  beforeAll(async () => {
    ns = await createTestNamespace('docker-secrets');
    registry = await startRegistry({ auth: { user, password: rightPassword } });
    const open = { address: inject('registryAddress') };
    openImage = await pushImage(open, { repository: ns.name, tag: '1' });
    operator = startTestOperator({
      namespaces: [ns.name],
      compute: { docker: dockerBlock(openImage) },
      config: { instance: ns.name },
      logger: log.logger,
    });
  });
  afterAll(async () => {
    await operator?.stop();
    await ns?.remove();
    await view.clear(ns.name);
    await removeImagesOf(inject('dockerHost'), registry.address);
    await registry.stop();
  });

  /** `HOST/app:TAG` that the engine does not have yet. */
  const guarded = (tag: string): Promise<string> => pushImage(registry, { repository: 'app', tag });
  const putPullSecret = (name: string, password: string): Promise<void> => {
    const auth = Buffer.from(`${user}:${password}`).toString('base64');
    const auths = { [registry.address]: { username: user, password, auth } };
    return ns.putSecret(name, { '.dockerconfigjson': JSON.stringify({ auths }) }, dockerConfigType);
  };
  const createPulling = (name: string, image: string, secrets: readonly string[] = [`${name}-pull`]) =>
    ns.create(name, {
      containers: [{ name: 'app', image }],
      imagePullSecrets: secrets.map((secret) => ({ name: secret })),
    });
  const createReading = (name: string, secret: string, container: Record<string, unknown>) =>
    ns.create(name, {
      containers: [
        {
          name: 'app',
          image: openImage,
          env: [{ name: 'PORT', valueFrom: { secretKeyRef: { name: secret, key: 'value' } } }],
          ...container,
        },
      ],
    });
  /** Wherever somebody without a right to Secrets could look, apart from the container's own environment. */
  const expectNowhere = async (name: string, ...values: string[]): Promise<void> => {
    const containers = await view.containers(ns.name, name);
    const seen = JSON.stringify([await ns.get(name), await ns.events(name), containers, log.lines]);
    expect(log.lines.join('')).toContain(`${ns.name}/${name}`);
    for (const value of values) {
      expect(seen).not.toContain(value);
      expect(seen).not.toContain(Buffer.from(value).toString('base64').replace(/=+$/, ''));
    }
  };

  test('the right password in imagePullSecrets gets the image, and is seen nowhere', async () => {
    await putPullSecret('right-pull', rightPassword);
    await createPulling('right', await guarded('right'));
    await ns.untilReady('right');
    const [container] = await view.containers(ns.name, 'right');
    expect(container).toMatchObject({
      Labels: { 'landlord.image': `${registry.address}/app:right` },
      State: 'running',
    });
    await expectNowhere('right', rightPassword, `${user}:${rightPassword}`);
  });

  test('none is ImageUnavailable, and the message says where one goes', async () => {
    const image = await guarded('none');
    await createPulling('none', image, []);
    const refused = await ns.untilReason('none', 'ImageUnavailable');
    expect(ready(refused)?.message).toMatch(/wants credentials.*spec\.imagePullSecrets/);
    expect(ready(refused)?.message).toContain(image);
  });

  test('a wrong one is ImageUnavailable, naming the image and no secret; the mended Secret is enough', async () => {
    const image = await guarded('wrong');
    await putPullSecret('wrong-pull', wrongPassword);
    await createPulling('wrong', image);
    const refused = await ns.untilReason('wrong', 'ImageUnavailable');
    expect(ready(refused)?.message).toContain(image);
    expect(ready(refused)?.message).toContain('refuses the credentials');
    expect(await view.leftovers(ns.name, 'wrong')).toEqual([]);
    await putPullSecret('wrong-pull', rightPassword);
    const mended = await ns.untilReady('wrong', 60_000);
    expect(mended.metadata.generation).toBe(refused.metadata.generation);
    await expectNowhere('wrong', wrongPassword, `${user}:${wrongPassword}`, rightPassword);
  });

  test('a Secret of another type is InvalidSpec, naming it; one of the right type is enough', async () => {
    await ns.putSecret('typeless-pull', { password: wrongPassword });
    await createPulling('typeless', await guarded('typeless'));
    const refused = await ns.untilReason('typeless', 'InvalidSpec');
    expect(ready(refused)?.message).toContain('Secret typeless-pull is of type Opaque');
    expect(ready(refused)?.message).toContain(dockerConfigType);
    expect(findCondition(refused.status?.conditions, 'Stalled')?.status).toBe('True');
    await ns.secrets.delete('typeless-pull', ns.name);
    await ns.untilReason('typeless', 'SecretNotFound');
    await putPullSecret('typeless-pull', rightPassword);
    await ns.untilReady('typeless');
    await expectNowhere('typeless', wrongPassword, rightPassword);
  });

  test('a value that the health check of a failed rollout repeats is redacted where it is told', async () => {
    const value = 's3cr3t-pr0be-value';
    await ns.putSecret('probe', { value });
    // The check dials that port, and complains of it by name.
    const created = await createReading('probe', 'probe', { args: ['sleep'] });
    await ns.untilReady('probe');
    const healthCheck = { command: ['/bin/ok'], intervalSeconds: 1, timeoutSeconds: 1, retries: 1 };
    const { containers } = created.spec as { containers: readonly object[] };
    await ns.patch('probe', {
      spec: { containers: containers.map((container) => ({ ...container, healthCheck })) },
    });
    const rolled = await ns.untilReason('probe', 'RolledBack', 60_000);
    expect(ready(rolled)?.message).toMatch(/fails its health check: .*\[redacted\]/);
    await expectNowhere('probe', value);
  });

  test.each<[string, Record<string, unknown>]>([
    ['crashes', {}],
    ['can not be started', { command: ['/no-such-program'] }],
  ])('a value of a container that %s is seen nowhere', async (what, container) => {
    const name = `failing-${what.replaceAll(' ', '-')}`;
    const value = `s3cr3t-${name}`.slice(0, 20);
    await ns.putSecret(name, { value });
    await createReading(name, name, container);
    // Told with a cause, not just under way.
    await ns.until(name, 'failed', ({ status }) => {
      const message = findCondition(status?.conditions, 'Ready')?.message ?? '';
      return /with code 1|no-such-program/.test(message);
    });
    await expectNowhere(name, value);
  });
});

describe('a restart of the operator over Tenants on Docker that each have a Secret', () => {
  const names = ['one', 'two', 'three'];
  const view = engineView();
  let ns: TestNamespace;
  let operator: TestOperator;
  let image: string;
  let folder: string;

  const start = (): void => {
    operator = startTestOperator({
      namespaces: [ns.name],
      compute: { docker: dockerBlock(image) },
      // One of the process alone would know none of the hashes again.
      config: { instance: ns.name, hash_key_file: join(folder, 'key') },
    });
  };
  const idsOf = async (name: string) => (await view.containers(ns.name, name)).map(({ Id }) => Id);
  const reads = async () => Promise.all(names.map(async (name) => (await ns.untilPasses(name, 0)).length));

  beforeAll(async () => {
    ns = await createTestNamespace('docker-unread');
    const registry = { address: inject('registryAddress') };
    image = await pushImage(registry, { repository: ns.name, tag: '1' });
    folder = await mkdtemp(join(tmpdir(), 'landlord-unread-'));
    await writeFile(join(folder, 'key'), randomBytes(32));
    start();
  });
  afterAll(async () => {
    await operator?.stop();
    await ns?.remove();
    await view.clear(ns.name);
    await rm(folder, { recursive: true, force: true });
  });

  test('reads the one that has changed meanwhile, and leaves the others and their containers as they are', async () => {
    for (const name of names) {
      await ns.putSecret(name, { value: '8080' });
      await ns.create(name, { containers: [ns.reading(name, 'value', { name: 'app', image })] });
    }
    for (const name of names) await ns.untilReady(name);
    // Of one that has run hardly longer than it takes to count as well, the next process can't tell at once that it has.
    await sleep(5_000);
    await operator.stop();
    const ids = await Promise.all(names.map(idsOf));
    const writes = (await ns.writes()).length;
    const before = await reads();
    await ns.putSecret('two', { value: '8081' });
    start();
    await ns.until('two', 'its Secret', ({ status }) => {
      const container = status?.compute?.resourceIds?.['container/app'];
      return container !== undefined && !ids.flat().includes(container);
    });
    await ns.untilReady('two');
    // Who comes later has its turn after all that there was at the start.
    await ns.create('late', { containers: [{ name: 'app', image }] });
    await ns.untilReady('late');
    expect([await idsOf('one'), await idsOf('three')]).toEqual([ids[0], ids[2]]);
    const written = (await ns.writes()).slice(writes).map(({ objectRef }) => objectRef?.name ?? '');
    expect(written.filter((name) => name === 'one' || name === 'three')).toEqual([]);
    const [one = 0, two = 0, three = 0] = before;
    const after = await reads();
    expect([after[0], after[2]]).toEqual([one, three]);
    expect(after[1]).toBeGreaterThan(two);
  });
});
