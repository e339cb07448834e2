import { describe, expect, test } from 'vitest';
import { dockerProvider } from '../../src/compute/providers/docker/provider.ts';
import { anyPermit } from '../compute/permits.ts';
import { context, settings } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';

/** The other places that a status can name: an address to connect to. */
const { signal } = new AbortController();
const former = 'tcp://docker-1.example:2376';

function docker() {
  const connected: string[] = [];
  const { block, policy } = settings({ former_hosts: [former] });
  const connect = (host: string) => {
    connected.push(host);
    return memoryEngine([], 0, 'other');
  };
  return { connected, provider: dockerProvider(memoryEngine(), block, policy, context({ connect })) };
}

const at = (host: string) => ({
  tenantId: 'acme',
  namespace: 'team-a',
  name: 'acme',
  placement: { provider: 'docker', labelPrefix: 'landlord', tenantId: 'acme', engineId: 'other', host },
});

describe('a placement on Docker leads to no connection with an address that is not in the config', () => {
  test.each([
    'tcp://evil.example:2375',
    'tcp://169.254.169.254:80',
    'tcp://docker-1.example:2376.evil.example',
    'unix:///run/secrets.sock',
    'ssh://evil.example',
    'http://evil.example',
    '',
  ])('%j', async (host) => {
    const { connected, provider } = docker();
    await expect(provider.destroy(at(host), anyPermit, signal)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: expect.stringContaining('compute.docker.former_hosts'),
    });
    await expect(provider.getStatus(at(host), undefined, { fresh: true, signal })).rejects.toMatchObject({
      code: 'ProviderUnavailable',
    });
    expect(connected).toEqual([]);
  });
});

test('one that the config led to before, and lists, is emptied', async () => {
  const { connected, provider } = docker();
  expect((await provider.destroy(at(former), anyPermit, signal)).outcome).toBe('gone');
  expect(connected).toEqual([former]);
});
