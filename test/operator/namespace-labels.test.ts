import { expect, onTestFinished, test, vi } from 'vitest';
import { providerDefinitions } from '../../src/compute/registry.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { namespacesResource } from '../../src/controller/kube-resources.ts';
import { KubeApiError } from '../../src/kube/client/kube-api-error.ts';
import { resource } from '../../src/kube/client/resource.ts';
import { namespaceLabels } from '../../src/operator/namespace-labels.ts';
import { createMemoryApiserver } from '../controller/memory-apiserver.ts';
import { recordingLogger } from '../kube/recording-logger.ts';
import type { LogLine } from '../kube/recording-logger.ts';

const configWith = (policy: object) =>
  parseConfig(JSON.stringify({ compute: { mock: {} }, policy }), 'test.yaml', {
    providers: providerDefinitions,
    environment: {},
  });
const selecting = configWith({ namespaces: [{ selector: 'team=a' }, { names: ['b'] }] });

/** An apiserver with two namespaces, and an operator that starts beside it. */
async function bench() {
  const apiserver = createMemoryApiserver();
  const { logger, lines } = recordingLogger();
  const namespaces = resource(apiserver.clientOf('user'), namespacesResource);
  const put = (name: string, labels: Record<string, string>) =>
    namespaces.create({ metadata: { name, labels } });
  await put('mine', { team: 'a' });
  await put('theirs', { team: 'b' });
  const labels = namespaceLabels(selecting, { client: apiserver.clientOf('operator'), logger, metrics: {} });
  if (labels === undefined) throw new Error('selectors need labels');
  const told: string[][] = [];
  const stop = new AbortController();
  const start = () => {
    const running = labels.run((changed) => told.push([...changed].toSorted()), stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await running;
    });
    return labels.settled(stop.signal);
  };
  const asks = () => apiserver.requests.filter(({ user }) => user === 'operator');
  return { apiserver, lines, namespaces, put, labels, told, start, stop, asks };
}

const forbidden = () => {
  throw new KubeApiError('namespaces', 403, { reason: 'Forbidden' });
};
const warnings = (lines: readonly LogLine[]) =>
  lines.filter(({ message }) => message.includes('component namespace-selectors'));

test('are asked for only where a selector is', () => {
  const apiserver = createMemoryApiserver();
  const options = { client: apiserver.clientOf('operator'), logger: recordingLogger().logger, metrics: {} };
  for (const policy of [{}, { namespaces: [{ names: ['a'] }, { names: ['b'], selector: '' }] }])
    expect(namespaceLabels(configWith(policy), options)).toBeUndefined();
});

test('are known once they are read, by one watch of metadata', async () => {
  const { labels, start, told, asks } = await bench();
  expect(labels.labelsOf('mine')).toBeUndefined();
  await start();
  expect(labels.labelsOf('mine')).toEqual({ team: 'a' });
  expect(labels.labelsOf('nowhere')).toBeUndefined();
  expect(told).toEqual([['mine', 'theirs']]);
  expect(asks().map(({ method, path }) => `${method} ${path}`)).toEqual(['WATCH /api/v1/namespaces']);
  expect(asks()[0]?.accept).toContain('PartialObjectMetadata');
});

test('tell which namespaces are selected otherwise than before', async () => {
  const { labels, start, told, namespaces, put } = await bench();
  await start();
  await namespaces.mergePatch('theirs', undefined, { metadata: { labels: { team: 'a' } } });
  await vi.waitFor(() => expect(told.slice(1)).toEqual([['theirs']]));
  expect(labels.labelsOf('theirs')).toEqual({ team: 'a' });
  await namespaces.mergePatch('mine', undefined, { metadata: { labels: { colour: 'red' } } });
  await put('new', {});
  await vi.waitFor(() => expect(told.slice(2)).toEqual([['new']]));
  await namespaces.delete('mine');
  await vi.waitFor(() => expect(told.slice(3)).toEqual([['mine']]));
  expect(labels.labelsOf('mine')).toBeUndefined();
});

test('that may not be watched are told of once, and held up nobody', async () => {
  const { apiserver, labels, start, lines, told, asks } = await bench();
  apiserver.intercept = ({ user }) => (user === 'operator' ? forbidden() : undefined);
  await start();
  await vi.waitFor(() => expect(asks().length).toBeGreaterThan(1), 5_000);
  expect(labels.labelsOf('mine')).toBeUndefined();
  expect(told).toEqual([]);
  expect(warnings(lines)).toHaveLength(1);
});

test('that were known stay so while the watch is broken', async () => {
  const { apiserver, labels, start, asks } = await bench();
  await start();
  apiserver.intercept = ({ user }) => (user === 'operator' ? forbidden() : undefined);
  apiserver.breakWatches(new Error('gone'));
  await vi.waitFor(() => expect(asks().length).toBeGreaterThan(1), 5_000);
  expect(labels.labelsOf('mine')).toEqual({ team: 'a' });
});
