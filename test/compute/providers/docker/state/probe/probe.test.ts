import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HealthCheck } from '../../../../../../src/api/container/health-check.ts';
import {
  probeCommand,
  probeProgram,
} from '../../../../../../src/compute/providers/docker/state/probe/probe.ts';

/** What probe.real.test.ts has run. */
it.each([
  ['amd64', '0e4fc3fc2573ecf49b2e18d9dbb6b9934db360f9c9bc8edb25ccc5b364d1ed6a'],
  ['arm64', '083a610dc77624d3637d973ad18ee6ea01f27bc32e30aed05476867f5042a257'],
] as const)('the program for %s is the one that was tried', (architecture, digest) => {
  expect(createHash('sha256').update(probeProgram(architecture)).digest('hex')).toBe(digest);
});

describe('the request', () => {
  const request = (check: HealthCheck['httpGet']) => probeCommand({ httpGet: check }, 'amd64')?.[2];

  it('is what a server of HTTP/1.1 expects', () => {
    expect(request({ port: 8080 })).toBe(
      'GET / HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: landlord-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n',
    );
  });

  it('has the headers that are named, those of its own among them', () => {
    const httpHeaders = [
      { name: 'host', value: 'acme.example' },
      { name: 'X-Probe', value: '' },
    ];
    expect(request({ port: 80, path: '/healthz?deep=1', httpHeaders })).toBe(
      'GET /healthz?deep=1 HTTP/1.1\r\nUser-Agent: landlord-probe\r\nAccept: */*\r\nConnection: close\r\nhost: acme.example\r\nX-Probe: \r\n\r\n',
    );
  });
});
