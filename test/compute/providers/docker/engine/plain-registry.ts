import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { imageArchitecture } from '../../../../../dev/image-program.ts';
import { randomRegistryAddress } from '../../../../../dev/registry-address.ts';

/** A registry of one image, whose layers nobody else has; a drip is a byte each 100 ms. */
export interface PlainRegistry {
  readonly image: string;
  close(): void;
}

const types = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};

export async function startPlainRegistry(layerCount: number, how: 'drips' | 'sends'): Promise<PlainRegistry> {
  const layers = await Promise.all(Array.from({ length: layerCount }, makeLayer));
  const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) };
  const config = Buffer.from(
    JSON.stringify({ architecture: imageArchitecture, os: 'linux', config: {}, rootfs }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: described(types.config, config),
      layers: layers.map(({ blob }) => described(types.layer, blob)),
    }),
  );
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const layer = layers.find(({ blob }) => path.endsWith(digestOf(blob)))?.blob;
    const body =
      layer ??
      (path.endsWith(digestOf(config))
        ? config
        : path.includes('/manifests/')
          ? manifest
          : Buffer.from('{}'));
    response.writeHead(200, { 'content-length': body.length, 'content-type': types.manifest });
    if (layer !== undefined && how === 'drips') drip(response, layer);
    else response.end(request.method === 'HEAD' ? undefined : body);
  });
  const address = randomRegistryAddress();
  const [host, port] = address.split(':');
  await new Promise<void>((resolve) => server.listen({ host, port: Number(port) }, resolve));
  return {
    image: `${address}/app:1`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function drip(response: ServerResponse, blob: Buffer): void {
  let at = 0;
  const timer = setInterval(() => response.write(blob.subarray(at, (at += 1))), 100);
  response.once('close', () => clearInterval(timer));
}

async function makeLayer(): Promise<{ readonly blob: Buffer; readonly diffId: string }> {
  const tar = pack();
  tar.entry({ name: 'file' }, randomBytes(32).toString('hex'));
  tar.finalize();
  const raw = await buffer(tar);
  return { blob: gzipSync(raw), diffId: digestOf(raw) };
}

function described(mediaType: string, blob: Buffer) {
  return { mediaType, size: blob.length, digest: digestOf(blob) };
}

function digestOf(blob: Buffer): string {
  return `sha256:${createHash('sha256').update(blob).digest('hex')}`;
}
