import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dockerOperatorBlock } from '../../../../../src/compute/providers/docker/config.ts';
import { createDockerProvider } from '../../../../../src/compute/providers/docker/provider.ts';
import { context } from '../docker-fixture.ts';
import { tlsPair } from './tls-pair.ts';

const { signal } = new AbortController();

/** The files of a `tls`, and beside them one that holds something else. */
async function files() {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-tls-'));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  const paths = {
    cert: join(folder, 'cert.pem'),
    key: join(folder, 'key.pem'),
    other: join(folder, 'other'),
  };
  await writeFile(paths.cert, tlsPair.cert);
  await writeFile(paths.key, tlsPair.key);
  await writeFile(paths.other, 'not PEM');
  return { ...paths, absent: join(folder, 'absent.pem') };
}

/** An engine behind TLS that lets in whom its own certificate has signed; by whom it was asked. */
async function tlsEngine() {
  const askedBy: string[] = [];
  const server = createServer(
    { ...tlsPair, ca: tlsPair.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      askedBy.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      const info = { ID: 'behind-tls', ApiVersion: '1.44', MinAPIVersion: '1.24' };
      response.end(JSON.stringify(info));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as { port: number };
  return { host: `tcp://127.0.0.1:${port}`, askedBy };
}

const providerOf = async (docker: Record<string, unknown>) => {
  const block = dockerOperatorBlock.parse({ image: 'app:1', ...docker });
  const provider = await createDockerProvider({ block, policy: {} }, context());
  onTestFinished(() => provider.close());
  return provider;
};

test("an engine is reached by the certificates of its `tls`, the block's own and one of `engines`", async () => {
  const { host, askedBy } = await tlsEngine();
  const { cert, key } = await files();
  const tls = { ca_file: cert, cert_file: cert, key_file: key };
  const own = await providerOf({ host, tls });
  expect(await own.locate?.({ provider: 'docker' }, signal)).toMatchObject({ engineId: 'behind-tls', host });
  const several = await providerOf({ host: 'unix:///nowhere.sock', engines: { edge: { host, tls } } });
  const onEdge = { provider: 'docker', engine: 'edge' };
  expect(await several.locate?.(onEdge, signal)).toMatchObject({ ...onEdge, engineId: 'behind-tls', host });
  expect(new Set(askedBy)).toEqual(new Set(['landlord-test']));
});

test("an engine has no use of the block's own certificates: it may be somebody else's", async () => {
  const { host, askedBy } = await tlsEngine();
  const { cert, key } = await files();
  const tls = { ca_file: cert, cert_file: cert, key_file: key };
  const several = await providerOf({ host: 'tcp://127.0.0.1:1', tls, engines: { edge: { host } } });
  await expect(several.list(signal, 'edge')).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  expect(askedBy).toEqual([]);
});

test.each<[what: string, of: (paths: Awaited<ReturnType<typeof files>>) => object, message: RegExp]>([
  [
    'is absent',
    ({ absent }) => ({ ca_file: absent }),
    /tls\.ca_file: .*absent\.pem can't be read \(ENOENT\)$/,
  ],
  ['is no certificate', ({ other }) => ({ ca_file: other }), /tls\.ca_file: is of no use/],
  [
    'is no key',
    ({ cert, other }) => ({ cert_file: cert, key_file: other }),
    /tls\.cert_file: is of no use, with its key/,
  ],
])('a file that %s ends the start, with one line that names it', async (_what, of, message) => {
  const tls = of(await files());
  const host = 'tcp://127.0.0.1:1';
  await expect(providerOf({ host, tls })).rejects.toThrow(message);
  const path = /^compute\.docker\.engines\.edge\.tls\./;
  await expect(providerOf({ engines: { edge: { host, tls } } })).rejects.toThrow(path);
});
