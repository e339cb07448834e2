import type { HealthCheck } from '../../../../../api/container/health-check.ts';
import type { FileSpec } from '../../../../spec/tenant-compute-spec.ts';
import { amd64Listing } from './amd64-listing.ts';
import { arm64Listing } from './arm64-listing.ts';
import { elfFile } from './elf.ts';

/**
 * What asks a container over HTTP or TCP from inside, where its image may have nothing that could: a program of 700 bytes
 * that is mounted into it. It connects to the port at 127.0.0.1, sends the request if there is one, prints the first line of
 * the answer, and exits with 0 where that is of HTTP and its status 2xx or 3xx. The engine ends one that takes too long. Pure.
 */

/** Where it is mounted. No image has that path. */
export const probePath = '/.landlord-probe';

/** By the architectures of images, what the file says of the machine, and the code. */
const programs = {
  amd64: { machine: 62, listing: amd64Listing },
  arm64: { machine: 183, listing: arm64Listing },
} as const;

type Architecture = keyof typeof programs;

export const probeArchitectures = Object.keys(programs) as readonly Architecture[];

/** Whether there is a program for images of that architecture. */
export function isProbed(architecture: string | undefined): boolean {
  return probeArchitectures.some((one) => one === architecture);
}

/** Whether it takes the probe. */
export function asksByProbe(check: HealthCheck | undefined): boolean {
  return check?.httpGet !== undefined || check?.tcpSocket !== undefined;
}

/** The program as a file, for images of that architecture. */
export function probeProgram(architecture: Architecture): Buffer {
  const { machine, listing } = programs[architecture];
  const bytes = listing.split('\n').map((line) => line.split('|', 1)[0]?.trim() ?? '');
  return elfFile(Buffer.from(bytes.join(''), 'hex'), machine);
}

let made: readonly FileSpec[] | undefined;

/** One for each architecture: which one it takes is known with the image alone. */
export function probeFiles(): readonly FileSpec[] {
  return (made ??= probeArchitectures.map((architecture) => ({
    path: architecture,
    mode: 0o555,
    content: probeProgram(architecture).toString('base64'),
  })));
}

/** The command that runs it. Undefined: the check does not take it. `architecture`: the image's. */
export function probeCommand(
  { httpGet, tcpSocket }: HealthCheck,
  architecture: string,
): readonly string[] | undefined {
  const program = `${probePath}/${architecture}`;
  if (httpGet !== undefined) return [program, `${httpGet.port}`, httpRequest(httpGet)];
  return tcpSocket && [program, `${tcpSocket.port}`];
}

function httpRequest({ port, path = '/', httpHeaders = [] }: NonNullable<HealthCheck['httpGet']>): string {
  const said = new Set(httpHeaders.map(({ name }) => name.toLowerCase()));
  const own = [
    { name: 'Host', value: `localhost:${port}` },
    { name: 'User-Agent', value: 'landlord-probe' },
    { name: 'Accept', value: '*/*' },
    { name: 'Connection', value: 'close' },
  ].filter(({ name }) => !said.has(name.toLowerCase()));
  const headers = [...own, ...httpHeaders].map(({ name, value }) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${headers.join('')}\r\n`;
}
