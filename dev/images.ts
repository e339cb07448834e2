import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { imageArchitecture, imageProgram } from './image-program.ts';
import type { RegistryAccess } from './registry.ts';

export interface ImageOptions {
  readonly repository: string;
  readonly tag: string;
  /** What the program in it answers with; by default the tag. Images that differ in nothing else are different images. */
  readonly version?: string;
  /** The image's default arguments, a mode of dev/image/main.go: `['crash', '3', '500ms']`. Its entrypoint is /app. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly exposedPorts?: readonly number[];
  /** Paths that the image declares as VOLUME. */
  readonly volumes?: readonly string[];
  /** A health check that comes with the image, in Docker's own form (durations in nanoseconds). */
  readonly healthCheck?: {
    readonly Test: readonly string[];
    readonly Interval?: number;
    readonly Retries?: number;
  };
}

interface Blob {
  readonly digest: string;
  readonly content: Buffer;
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';

/** The same for all images, so a registry stores it and an engine pulls it once. */
let layer: Promise<{ blob: Blob; diffId: string }> | undefined;

/**
 * Makes an image from the program in dev/image/main.go alone and pushes it; a tag that exists moves. Returns the full
 * reference, `127.83.12.7:5959/app:1`. Takes a few milliseconds once the program is built.
 */
export async function pushImage(registry: RegistryAccess, options: ImageOptions): Promise<string> {
  const { blob: layerBlob, diffId } = await (layer ??= makeLayer());
  const config = blobOf(Buffer.from(JSON.stringify(imageConfig(options, diffId))));
  await pushBlob(registry, options.repository, layerBlob);
  await pushBlob(registry, options.repository, config);
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor('application/vnd.docker.container.image.v1+json', config),
    layers: [descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip', layerBlob)],
  };
  const response = await call(registry, 'PUT', `/v2/${options.repository}/manifests/${options.tag}`, {
    type: manifestType,
    content: Buffer.from(JSON.stringify(manifest)),
  });
  await expectStatus(response, 201);
  return `${registry.address}/${options.repository}:${options.tag}`;
}

async function makeLayer(): Promise<{ blob: Blob; diffId: string }> {
  // All of it belongs to root and is of 1970, so that the same program makes the same layer.
  const file = { mode: 0o755, mtime: new Date(0) };
  const folder = { type: 'directory', mode: 0o1777, mtime: new Date(0) } as const;
  const tar = pack();
  tar.entry({ name: 'app', ...file }, await imageProgram());
  tar.entry({ name: 'bin/', ...folder });
  tar.entry({ name: 'bin/ok', type: 'symlink', linkname: '/app', ...file });
  // A directory that volumes can be mounted on and that every user may write to.
  tar.entry({ name: 'tmp/', ...folder });
  tar.finalize();
  const archive = await buffer(tar);
  return { blob: blobOf(gzipSync(archive, { level: 1 })), diffId: digestOf(archive) };
}

function imageConfig(options: ImageOptions, diffId: string): Record<string, unknown> {
  const env = { PATH: '/bin:/', VERSION: options.version ?? options.tag, ...options.env };
  const ports = (options.exposedPorts ?? []).map((port) => [`${port}/tcp`, {}]);
  return {
    architecture: imageArchitecture(),
    os: 'linux',
    // Fixed, so that the same options make the same image.
    created: '2000-01-01T00:00:00Z',
    config: {
      Entrypoint: ['/app'],
      Cmd: options.command ?? ['serve'],
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...(ports.length > 0 && { ExposedPorts: Object.fromEntries(ports) }),
      ...(options.volumes && { Volumes: Object.fromEntries(options.volumes.map((path) => [path, {}])) }),
      ...(options.healthCheck && { Healthcheck: options.healthCheck }),
    },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: '2000-01-01T00:00:00Z', created_by: 'dev/images.ts' }],
  };
}

async function pushBlob(registry: RegistryAccess, repository: string, blob: Blob): Promise<void> {
  const present = await call(registry, 'HEAD', `/v2/${repository}/blobs/${blob.digest}`);
  if (present.status === 200) return;
  const begun = await call(registry, 'POST', `/v2/${repository}/blobs/uploads/`);
  await expectStatus(begun, 202);
  const upload = new URL(begun.headers.get('location') ?? '', `http://${registry.address}`);
  upload.searchParams.set('digest', blob.digest);
  const response = await call(registry, 'PUT', `${upload.pathname}${upload.search}`, {
    type: 'application/octet-stream',
    content: blob.content,
  });
  await expectStatus(response, 201);
}

async function call(
  registry: RegistryAccess,
  method: string,
  path: string,
  body?: { readonly type: string; readonly content: Buffer },
): Promise<Response> {
  const headers = new Headers();
  if (registry.auth !== undefined) {
    const { user, password } = registry.auth;
    headers.set('authorization', `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`);
  }
  if (body !== undefined) headers.set('content-type', body.type);
  return fetch(`http://${registry.address}${path}`, {
    method,
    headers,
    signal: AbortSignal.timeout(30_000),
    ...(body && { body: new Uint8Array(body.content) }),
  });
}

async function expectStatus(response: Response, wanted: number): Promise<void> {
  const text = await response.text();
  if (response.status === wanted) return;
  const path = new URL(response.url).pathname;
  throw new Error(`the registry answered ${path} with HTTP ${response.status}: ${text.slice(0, 500)}`);
}

function descriptor(mediaType: string, blob: Blob): Record<string, unknown> {
  return { mediaType, size: blob.content.length, digest: blob.digest };
}

function blobOf(content: Buffer): Blob {
  return { digest: digestOf(content), content };
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
