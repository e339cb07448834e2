import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programFromDebian } from '../../../../../../dev/debian-packages.ts';
import type { HealthCheck } from '../../../../../../src/api/container/health-check.ts';
import { amd64Listing } from '../../../../../../src/compute/providers/docker/state/probe/amd64-listing.ts';
import { arm64Listing } from '../../../../../../src/compute/providers/docker/state/probe/arm64-listing.ts';
import {
  probeArchitectures,
  probeCommand,
  probeProgram,
} from '../../../../../../src/compute/providers/docker/state/probe/probe.ts';

const folder = mkdtempSync(join(tmpdir(), 'probe-'));
const servers: Server[] = [];
const ports = { http: 0, pieces: 0, mute: 0, ssh: 0, none: 0 };

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Answers what is said once it is asked. */
const saying = (say: (socket: Socket) => void) =>
  createServer((socket) => void socket.on('error', () => {}).once('data', () => say(socket)));

beforeAll(async () => {
  const http = createHttpServer(({ url = '', headers, method }, response) => {
    const status = Number(url.slice(1)) || 200;
    response.statusCode = method === 'GET' && headers['x-tenant'] !== 'other' ? status : 418;
    if (url === '/open') response.write('an answer without an end');
    else response.end(url === '/long' ? 'x'.repeat(100_000) : headers.host);
  });
  ports.http = await listening(http);
  const pieces = ['HT', 'TP/1.1 2', '04 No Content\r\n\r\n'];
  ports.pieces = await listening(
    saying((socket) => {
      for (const [index, piece] of pieces.entries())
        setTimeout(() => (index === 2 ? socket.end(piece) : socket.write(piece)), index * 10);
    }),
  );
  ports.mute = await listening(saying((socket) => socket.end()));
  ports.ssh = await listening(saying((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
  const closed = createServer();
  ports.none = await listening(closed);
  await new Promise((resolve) => closed.close(resolve));
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

type Architecture = (typeof probeArchitectures)[number];

const tools = {
  amd64: {
    emulator: 'qemu-x86_64',
    as: ['x86_64-linux-gnu-as', '--64'],
    packages: ['binutils-x86-64-linux-gnu'],
    listing: amd64Listing,
  },
  arm64: {
    emulator: 'qemu-aarch64',
    as: ['aarch64-linux-gnu-as'],
    packages: ['binutils-aarch64-linux-gnu'],
    listing: arm64Listing,
  },
} as const;

const own = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];

/** What runs the programs of that architecture on this machine. */
async function runner(architecture: Architecture): Promise<readonly string[]> {
  if (architecture === own) return [];
  const otherwise = `install qemu-user, which runs programs for ${architecture}`;
  return [await programFromDebian(tools[architecture].emulator, ['qemu-user'], otherwise)];
}

async function ask(architecture: Architecture, check: HealthCheck) {
  const path = join(folder, architecture);
  writeFileSync(path, probeProgram(architecture), { mode: 0o755 });
  const [, ...args] = probeCommand(check, architecture) ?? [];
  const [program = '', ...rest] = [...(await runner(architecture)), path, ...args];
  return promisify(execFile)(program, rest).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
  );
}

type Case = [what: string, check: () => HealthCheck, code: number, stdout: string];
const httpGet = (path: string, more = {}) => ({ httpGet: { port: ports.http, path, ...more } });

describe.each(probeArchitectures)('the probe for %s', (architecture) => {
  it.each<Case>([
    [
      'takes a connection for healthy',
      () => ({ tcpSocket: { port: ports.http } }),
      0,
      'a connection is taken\n',
    ],
    ['takes none for unhealthy', () => ({ tcpSocket: { port: ports.none } }), 1, 'can not connect\n'],
    ['takes 200 for healthy', () => ({ httpGet: { port: ports.http } }), 0, 'HTTP/1.1 200 OK\n'],
    ['takes 302 for healthy', () => httpGet('/302'), 0, 'HTTP/1.1 302 Found\n'],
    ['takes 404 for unhealthy', () => httpGet('/404'), 1, 'HTTP/1.1 404 Not Found\n'],
    ['takes 503 for unhealthy', () => httpGet('/503'), 1, 'HTTP/1.1 503 Service Unavailable\n'],
    ['has an end with a long answer', () => httpGet('/long'), 0, 'HTTP/1.1 200 OK\n'],
    ['has an end with an answer that has none', () => httpGet('/open'), 0, 'HTTP/1.1 200 OK\n'],
    [
      'sends headers',
      () => httpGet('/', { httpHeaders: [{ name: 'X-Tenant', value: 'other' }] }),
      1,
      "HTTP/1.1 418 I'm a Teapot\n",
    ],
    ['waits for the status', () => ({ httpGet: { port: ports.pieces } }), 0, 'HTTP/1.1 204 No Content\n'],
    ['takes no answer for unhealthy', () => ({ httpGet: { port: ports.mute } }), 1, 'there is no answer\n'],
    [
      'takes what is not HTTP for unhealthy',
      () => ({ httpGet: { port: ports.ssh } }),
      1,
      'SSH-2.0-OpenSSH_9.2\n',
    ],
    ['can not ask where nothing is', () => ({ httpGet: { port: ports.none } }), 1, 'can not connect\n'],
  ])('%s', async (_what, check, code, stdout) => {
    expect(await ask(architecture, check())).toEqual({ code, stdout });
  });
});

describe.each(probeArchitectures)('the bytes for %s', (architecture) => {
  const { listing, as, packages } = tools[architecture];
  it('are those of the lines beside them', async () => {
    const [name, ...options] = as;
    const assembler = await programFromDebian(name, packages, `install ${packages.join(' ')}`);
    const source = join(folder, `${architecture}.s`);
    const lines = listing.split('\n').map((line) => line.slice(line.indexOf('|') + 1));
    writeFileSync(source, `${lines.join('\n')}\n`);
    execFileSync(assembler, [...options, source, '-o', `${source}.o`]);
    const code = probeProgram(architecture).subarray(176);
    expect(readFileSync(`${source}.o`).includes(code)).toBe(true);
  });
});
