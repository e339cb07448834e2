import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAuditLog, startControlPlane } from '../../dev/control-plane.ts';
import type { ControlPlane } from '../../dev/control-plane.ts';
import { kubeRequest } from '../../dev/kube-request.ts';
import type { KubeResponse } from '../../dev/kube-request.ts';

function versionOf({ body }: KubeResponse): string {
  return (body as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}

describe('a control plane', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
  });
  afterAll(() => plane.stop());

  const configMaps = '/api/v1/namespaces/default/configmaps';
  const create = (name: string, kubeconfig = plane.kubeconfigPath): Promise<KubeResponse> =>
    kubeRequest(kubeconfig, { method: 'POST', path: configMaps, body: { metadata: { name } } });

  it('logs the requests of the operator and those of nobody else', async () => {
    expect((await create('by-operator', plane.operatorKubeconfigPath)).status).toBe(201);
    expect((await create('by-admin')).status).toBe(201);
    await expect
      .poll(async () =>
        (await plane.auditEntries()).map(({ verb, objectRef }) => [verb, objectRef?.resource]),
      )
      .toEqual([['create', 'configmaps']]);
    expect((await plane.auditEntries())[0]?.user.username).toBe('landlord-operator');
  });

  it('refuses a token it does not know', async () => {
    const config = await readFile(plane.kubeconfigPath, 'utf8');
    const stranger = join(plane.dir, 'stranger.kubeconfig');
    await writeFile(stranger, config.replace(/token: .*/, 'token: guessed'));
    expect((await kubeRequest(stranger, { path: '/api/v1/namespaces' })).status).toBe(401);
  });

  it('keeps address and data over a SIGKILL', async () => {
    await create('before-the-kill');
    await plane.killApiserver();
    await expect(kubeRequest(plane.kubeconfigPath, { path: '/readyz' })).rejects.toThrow('ECONNREFUSED');
    await plane.startApiserver();
    expect((await kubeRequest(plane.kubeconfigPath, { path: `${configMaps}/before-the-kill` })).status).toBe(
      200,
    );
  });

  it('is silent while frozen and answers when thawed', async () => {
    plane.freezeApiserver();
    const silent = kubeRequest(plane.kubeconfigPath, { path: '/readyz', timeoutMs: 300 });
    await expect(silent).rejects.toThrow('not answered');
    plane.thawApiserver();
    expect((await kubeRequest(plane.kubeconfigPath, { path: '/readyz' })).status).toBe(200);
  });

  it('has no history any more after a compaction', async () => {
    const old = versionOf(await create('before-the-compaction'));
    await create('after-it');
    const asOfOld = `${configMaps}?resourceVersion=${old}&resourceVersionMatch=Exact`;
    await plane.killApiserver();
    await plane.startApiserver();
    expect((await kubeRequest(plane.kubeconfigPath, { path: asOfOld })).status).toBe(200);
    await plane.killApiserver();
    await plane.compact();
    await plane.startApiserver();
    expect((await kubeRequest(plane.kubeconfigPath, { path: asOfOld })).status).toBe(410);
    const watch = `${configMaps}?watch=true&timeoutSeconds=1&resourceVersion=${old}`;
    const { body } = await kubeRequest(plane.kubeconfigPath, { path: watch });
    expect(body).toMatchObject({ type: 'ERROR', object: { code: 410 } });
  });
});

it('leaves nothing after stop', async () => {
  const plane = await startControlPlane();
  await plane.stop();
  expect(existsSync(plane.dir)).toBe(false);
  await expect(fetch(plane.url)).rejects.toThrow('fetch failed');
});

it('is shared by all tests of a run', async () => {
  expect((await kubeRequest(inject('kubeconfigPath'), { path: '/readyz' })).body).toBe('ok');
});

it('reads an audit log whose last line is still being written', () => {
  expect(parseAuditLog('{"verb":"get"}\n{"verb":"li')).toEqual([{ verb: 'get' }]);
});
