import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KubeApiError } from '../../src/kube/client/kube-api-error.ts';
import type { KubeObject } from '../../src/kube/client/kube-object.ts';
import { resource } from '../../src/kube/client/resource.ts';
import { clusterUid } from '../../src/operator/cluster-uid.ts';
import { createMemoryApiserver } from '../controller/memory-apiserver.ts';
import { recordingLogger } from '../kube/recording-logger.ts';

const namespacesResource = { group: '', version: 'v1', plural: 'namespaces', namespaced: false };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function bench() {
  const apiserver = createMemoryApiserver();
  const { logger, lines } = recordingLogger();
  const stop = new AbortController();
  const start = (id = '') =>
    clusterUid({ client: apiserver.clientOf('landlord'), config: { cluster_id: id }, logger }, stop.signal);
  const namespaces = resource<KubeObject>(apiserver.clientOf('user'), namespacesResource);
  return { apiserver, lines, stop, start, namespaces };
}

describe('the identity of the cluster', () => {
  test('is the UID of kube-system', async () => {
    const { start, namespaces } = bench();
    const { metadata } = await namespaces.create({ metadata: { name: 'kube-system' } });
    expect(await start()).toBe(metadata.uid);
  });

  test('is what the config says, without a word to the apiserver', async () => {
    const { apiserver, start } = bench();
    expect(await start('eu-1')).toBe('eu-1');
    expect(apiserver.requests).toEqual([]);
  });

  test('is asked for more and more seldom where the right to is missing, at least twice a minute', async () => {
    const { apiserver, start, stop, lines } = bench();
    apiserver.intercept = () => {
      throw new KubeApiError('kube-system', 403, { reason: 'Forbidden' });
    };
    const asked = start();
    await vi.advanceTimersByTimeAsync(60_000);
    const inTheFirstMinute = lines.length;
    expect(inTheFirstMinute).toBeLessThan(10);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(lines.length - inTheFirstMinute).toBe(20);
    expect(lines.at(-1)?.message).toContain('cluster_id');
    stop.abort();
    expect(await asked).toBeUndefined();
  });
});
