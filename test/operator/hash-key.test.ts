import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hashKeySecret, installationKey } from '../../src/operator/hash-key.ts';
import { KubeApiError } from '../../src/kube/client/kube-api-error.ts';
import { resource } from '../../src/kube/client/resource.ts';
import type { StoredSecret } from '../../src/kube/client/ensure-secret.ts';
import { createMemoryApiserver } from '../controller/memory-apiserver.ts';
import { recordingLogger } from '../kube/recording-logger.ts';

const secretsResource = { group: '', version: 'v1', plural: 'secrets', namespaced: true };

/** An apiserver, and operators that start beside it. */
function bench() {
  const apiserver = createMemoryApiserver();
  const { logger, lines } = recordingLogger();
  const stop = new AbortController();
  const start = (over: { file?: string; namespace?: string; needed?: boolean } = {}) => {
    const { file = '', namespace = 'landlord-system', needed = true } = over;
    const lease = { namespace } as never;
    const config = { hash_key_file: file, leader_election: lease };
    return installationKey({ client: apiserver.clientOf('landlord'), config, needed, logger }, stop.signal);
  };
  const secrets = resource<StoredSecret>(apiserver.clientOf('user'), secretsResource);
  const stored = () => secrets.get(hashKeySecret, 'landlord-system');
  return { apiserver, lines, stop, start, secrets, stored };
}

function refuse(status: number) {
  return () => {
    throw new KubeApiError('secrets', status, { reason: 'Forbidden' });
  };
}

function fileOf(bytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'landlord-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'key');
  writeFileSync(file, Buffer.alloc(bytes, 1));
  return file;
}

describe('the key of the installation', () => {
  test('is made at the first start, and is the same from then on', async () => {
    const { start, stored } = bench();
    const first = await start();
    const secret = await stored();
    expect(Buffer.from(secret?.data?.['key'] ?? '', 'base64')).toHaveLength(32);
    expect(secret).toMatchObject({ immutable: true, type: 'Opaque' });
    expect((await start())?.seal('x')).toBe(first?.seal('x'));
  });

  test('is one for all who start at the same time', async () => {
    const { start } = bench();
    const keys = await Promise.all([start(), start(), start()]);
    expect(new Set(keys.map((key) => key?.seal('x'))).size).toBe(1);
  });

  test('differs from installation to installation', async () => {
    const keys = await Promise.all([bench().start(), bench().start()]);
    expect(keys[0]?.id).not.toBe(keys[1]?.id);
  });

  test('comes from a file where the config names one, and nothing is asked of the apiserver', async () => {
    const { apiserver, start } = bench();
    const file = fileOf(32);
    expect((await start({ file }))?.id).toBe((await start({ file }))?.id);
    expect(apiserver.requests).toEqual([]);
  });

  test('is not taken from a file that is too short, nor from none', async () => {
    const { start } = bench();
    await expect(start({ file: fileOf(31) })).rejects.toThrow(/hash_key_file: .* holds 31 bytes/);
    await expect(start({ file: '/nowhere/key' })).rejects.toThrow(
      /hash_key_file: \/nowhere\/key can't be read/,
    );
    await expect(start({ file: '/nowhere/key' })).rejects.toThrow(/nowhere/);
  });

  test('is not asked for where no values of secrets come to the operator', async () => {
    const { apiserver, start } = bench();
    expect(await start({ needed: false })).toBeDefined();
    expect(apiserver.requests).toEqual([]);
  });

  test.each([403, 404, 422])(
    'is one of the process where the apiserver refuses with %i, and the log says so',
    async (status) => {
      const { apiserver, start, lines } = bench();
      apiserver.intercept = refuse(status);
      expect((await start())?.id).not.toBe((await start())?.id);
      expect(lines.at(-1)).toMatchObject({
        level: 'warn',
        message: expect.stringContaining('hash_key_file') as string,
      });
    },
  );

  test('is one of the process where somebody emptied the Secret', async () => {
    const { start, secrets, lines } = bench();
    await secrets.create({
      metadata: { name: hashKeySecret, namespace: 'landlord-system' },
      data: { key: 'eA==' },
    });
    expect(await start()).toBeDefined();
    expect(lines.at(-1)?.level).toBe('error');
  });

  test('is asked for until the apiserver answers', async () => {
    const { apiserver, start, lines } = bench();
    let refused = 0;
    apiserver.intercept = () => {
      refused += 1;
      if (refused === 1) throw new KubeApiError('secrets', 503, {});
    };
    expect(await start()).toBeDefined();
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
  });

  test('is none where it was stopped before', async () => {
    const { apiserver, start, stop } = bench();
    apiserver.intercept = () => {
      stop.abort();
      throw new KubeApiError('secrets', 503, {});
    };
    expect(await start()).toBeUndefined();
  });
});
