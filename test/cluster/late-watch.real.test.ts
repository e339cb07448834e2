import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { endpointsOf } from './operator-endpoints.ts';
import { startApiserverProxy } from './proxied-kubeconfig.ts';
import type { KillingProxy } from './killing-proxy.ts';
import { recordingStream } from './recording-stream.ts';
import { createTestNamespace, isReady } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';
import { atMost } from '../../src/async/at-most.ts';
import { until } from '../until.ts';

/** By how much what is watched is behind the answers to what is written. */
const behindMs = 50;
/** Within which time of its creation something happens to each Tenant. */
const soonMs = 300;
const [edits, deletions] = [300, 100];

interface LogLine {
  readonly level: number;
  readonly reason?: string;
  readonly tenant?: string;
  readonly msg?: string;
}

describe('an operator whose watch is behind its own writes', () => {
  const log = recordingStream();
  const { metric } = endpointsOf(() => log.lines.join(''));
  let folder: string;
  let proxy: KillingProxy;
  let ns: TestNamespace;
  let operator: TestOperator;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'landlord-late-'));
    const kubeconfigPath = join(folder, 'kubeconfig');
    proxy = await startApiserverProxy(inject('operatorKubeconfigPath'), kubeconfigPath, (url) =>
      url.includes('watch=true') ? behindMs : 0,
    );
    ns = await createTestNamespace('late-watch');
    operator = startTestOperator({
      namespaces: [],
      compute: { mock: {} },
      config: { controller: { namespaces: [ns.name], resync_interval: '1s' } },
      kubeconfigPath,
      logger: log.logger,
    });
  });
  afterAll(async () => {
    await operator.stop();
    await proxy.close();
    await ns.remove();
    await rm(folder, { recursive: true });
  });

  const spec = (generation: number) => ({
    computeConfig: { mock: { generation, latency_ms: 5 } },
  });
  const told = (pick: (line: LogLine) => boolean): LogLine[] =>
    log.lines.map((line) => JSON.parse(line) as LogLine).filter(pick);
  const warnings = 40;

  test('misses no edit and no deletion that comes right after a creation, and tells of each once', async () => {
    const kinds = Array.from({ length: edits + deletions }, (_, n) => (n % 4 === 3 ? 'deleted' : 'edited'));
    // A machine that is slower begins fewer of them in a second.
    const inTurn = atMost(10);
    const all = kinds.map((kind, n) =>
      inTurn(async () => {
        const name = `${kind}-${n}`;
        await ns.create(name, spec(1));
        await sleep(Math.random() * soonMs);
        if (kind === 'deleted') await ns.delete(name);
        else await ns.patch(name, { spec: spec(2) });
      }),
    );
    await Promise.all(all);
    const stuck = async (): Promise<string[]> => {
      const { items } = await ns.tenants.list({ namespace: ns.name });
      return items
        .filter((tenant) => tenant.metadata.deletionTimestamp !== undefined || !isReady(tenant))
        .map(({ metadata }) => metadata.name);
    };
    await until('nothing is stuck', async () => (await stuck()).length === 0);
    const { items } = await ns.tenants.list({ namespace: ns.name });
    expect(items).toHaveLength(edits);
    // Of what the mock engine runs, nothing is left without its Tenant.
    await expect.poll(() => metric('landlord_orphans', { provider: 'mock' }), { timeout: 30_000 }).toBe(0);
    expect(told(({ level, msg }) => level >= warnings && msg?.startsWith('orphan') !== true)).toEqual([]);
    const destroyed = told(({ reason }) => reason === 'Destroyed').map(({ tenant }) => tenant);
    expect(destroyed).toHaveLength(new Set(destroyed).size);
  });
});
