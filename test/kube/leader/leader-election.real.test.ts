import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { createKubeClient } from '../../../src/kube/client/kube-client.ts';
import type { KubeClient } from '../../../src/kube/client/kube-client.ts';
import { loadKubeConfig } from '../../../src/kube/client/load-kube-config.ts';
import { runLeaderElection } from '../../../src/kube/leader/leader-election.ts';
import { recordingLogger } from '../recording-logger.ts';
import { createNamespace } from '../widgets.ts';

let admin: KubeClient;
let namespace: string;

beforeAll(async () => {
  admin = newClient();
  namespace = await createNamespace(admin);
});

afterAll(() => admin?.close());

function newClient(): KubeClient {
  return createKubeClient({
    userAgent: 'test',
    kubeConfig: loadKubeConfig(inject('kubeconfigPath')),
    logger: recordingLogger().logger,
  });
}

/** A candidate with short times and a connection of its own, which `cut` breaks for good. */
function candidate(lease: string, identity: string, log: string[]) {
  const client = newClient();
  const controller = new AbortController();
  const done = runLeaderElection({
    client,
    namespace,
    name: lease,
    identity,
    leaseDurationMs: 3_000,
    renewDeadlineMs: 2_000,
    windUpMs: 60_000,
    retryPeriodMs: 400,
    logger: recordingLogger().logger,
    signal: controller.signal,
    onStarted: async (signal) => {
      log.push(`${identity} leads`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      log.push(`${identity} stops`);
    },
  });
  onTestFinished(async () => {
    controller.abort();
    await done;
    await client.close();
  });
  return { done, abort: () => controller.abort(), cut: () => client.close() };
}

async function until(log: string[], line: string): Promise<void> {
  await expect.poll(() => log, { interval: 10, timeout: 60_000 }).toContain(line);
}

test('a leader that steps down is followed at once, and the two never lead together', async () => {
  const log: string[] = [];
  const a = candidate('step-down', 'a', log);
  await until(log, 'a leads');
  candidate('step-down', 'b', log);
  a.abort();
  expect(await a.done).toBe('released');
  await until(log, 'b leads');
  expect(log).toEqual(['a leads', 'a stops', 'b leads']);
});

test('a leader that loses the apiserver stops before another one leads', async () => {
  const log: string[] = [];
  const a = candidate('cut-off', 'a', log);
  await until(log, 'a leads');
  candidate('cut-off', 'b', log);
  await a.cut();
  expect(await a.done).toBe('lost');
  await until(log, 'b leads');
  expect(log).toEqual(['a leads', 'a stops', 'b leads']);
});
