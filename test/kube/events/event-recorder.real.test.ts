import { expect, inject, onTestFinished, test } from 'vitest';
import { createEventRecorder } from '../../../src/kube/events/event-recorder.ts';
import { createKubeClient } from '../../../src/kube/client/kube-client.ts';
import { loadKubeConfig } from '../../../src/kube/client/load-kube-config.ts';
import type { KubeObject } from '../../../src/kube/client/kube-object.ts';
import { resource } from '../../../src/kube/client/resource.ts';
import { recordingLogger } from '../recording-logger.ts';
import { createNamespace, defineWidgets, newWidget } from '../widgets.ts';

interface StoredEvent extends KubeObject {
  regarding: { uid: string };
  reason: string;
  note: string;
  series?: { count: number };
}

test('the apiserver takes an event, the count of its repeats, and the longest note', async () => {
  const { logger, lines } = recordingLogger();
  const client = createKubeClient({
    kubeConfig: loadKubeConfig(inject('kubeconfigPath')),
    logger,
    userAgent: 'test',
  });
  onTestFinished(() => client.close());
  const namespace = await createNamespace(client);
  const { apiVersion, kind, metadata } = await (
    await defineWidgets(client)
  ).create(newWidget(namespace, 'acme'));
  const recorder = createEventRecorder({
    client,
    reportingController: 'landlord.test/kube',
    reportingInstance: 'test',
    logger,
  });
  const { name, uid } = metadata;
  const reference = { apiVersion: apiVersion ?? '', kind: kind ?? '', namespace, name, uid };
  for (let index = 0; index < 3; index += 1) {
    recorder.emit({
      regarding: reference,
      type: 'Normal',
      reason: 'Tried',
      action: 'Try',
      note: 'all is well',
    });
    await recorder.flush(10_000);
  }
  recorder.emit({
    regarding: reference,
    type: 'Warning',
    reason: 'Long',
    action: 'Try',
    note: 'ä'.repeat(3_000),
  });
  recorder.emit({
    regarding: { name: 'x', namespace: 'nowhere' },
    type: 'Warning',
    reason: 'Lost',
    action: 'Try',
    note: '',
  });
  expect(await recorder.flush(10_000)).toBe(true);

  const events = resource<StoredEvent>(client, {
    group: 'events.k8s.io',
    version: 'v1',
    plural: 'events',
    namespaced: true,
  });
  const { items } = await events.list({ namespace });
  expect(items.map(({ reason, series }) => `${reason} ${series?.count ?? 1}`).toSorted()).toEqual([
    'Long 1',
    'Tried 3',
  ]);
  expect(items.every((event) => event.regarding.uid === uid)).toBe(true);
  // The one for a namespace that isn't there was refused, and that is all that happened.
  expect(lines.map(({ level }) => level)).toEqual(['debug']);
});
