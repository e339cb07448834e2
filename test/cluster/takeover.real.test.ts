import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { KubeObject } from '../../src/kube/client/kube-object.ts';
import { resource } from '../../src/kube/client/resource.ts';
import { startOperatorProcess } from './operator-process.ts';
import type { OperatorProcess } from './operator-process.ts';
import { hangMs } from '../until.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';

interface Lease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string; readonly leaseTransitions?: number };
}

interface Replica extends OperatorProcess {
  /** As it calls itself in the log when it leads; undefined: it never did. */
  identity(): string | undefined;
}

const patience = { timeout: hangMs };

describe('replicas of the operator', () => {
  const replicas: Replica[] = [];
  let ns: TestNamespace;
  let folder: string;

  beforeAll(async () => {
    ns = await createTestNamespace('takeover');
    folder = await mkdtemp(join(tmpdir(), 'landlord-takeover-'));
    const config = {
      compute: { mock: {} },
      controller: { namespaces: [ns.name] },
      server: { address: '127.0.0.1:0' },
      leader_election: {
        enabled: true,
        namespace: ns.name,
        lease_duration: '10s',
        renew_deadline: '8s',
        retry_period: '500ms',
      },
    };
    await writeFile(join(folder, 'landlord.yaml'), stringify(config));
  });
  afterAll(async () => {
    for (const replica of replicas) {
      replica.kill();
      await replica.exited;
    }
    await ns?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (): Promise<Replica> => {
    const child = startOperatorProcess({
      configFile: join(folder, 'landlord.yaml'),
      kubeconfigPath: inject('operatorKubeconfigPath'),
    });
    const { endpoints } = child;
    const identity = () => /"identity":"([^"]+)","msg":"leading"/.exec(child.output())?.[1];
    const replica = { ...child, identity };
    replicas.push(replica);
    // One that waits for the lease is ready, too.
    if (replicas.length > 1)
      await expect.poll(() => endpoints.readyz().catch(String), patience).toMatchObject({ status: 200 });
    return replica;
  };
  const lease = async () => {
    const type = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true };
    const { spec } = (await resource<Lease>(ns.client, type).get('landlord', ns.name)) ?? {};
    return spec;
  };
  /** Those that the apiserver took: one against an old version of the Tenant is refused. */
  const change = async (tenant: string, value: number): Promise<void> => {
    await ns.patch(tenant, { spec: { computeConfig: { mock: { value } } } });
    await ns.untilReady(tenant);
  };
  const passes = (replica: Replica) => replica.endpoints.metric('landlord_reconcile_duration_seconds_count');

  test('work one at a time: the next leads when the one before is dead, or silent, which then ends', async () => {
    const first = await start();
    await ns.create('acme', { computeConfig: { mock: { value: 0 } } });
    await ns.untilReady('acme');
    const second = await start();
    await change('acme', 1);
    expect(await lease()).toMatchObject({ holderIdentity: first.identity(), leaseTransitions: 0 });
    // A pass counts once it has ended, a moment after its last write.
    await expect.poll(() => passes(first), patience).toBeGreaterThan(1);
    expect(await passes(second)).toBeUndefined();

    first.kill();
    await first.exited;
    await change('acme', 2);
    expect(await lease()).toMatchObject({ holderIdentity: second.identity(), leaseTransitions: 1 });

    const third = await start();
    expect(await passes(third)).toBeUndefined();
    process.kill(second.pid, 'SIGSTOP');
    await change('acme', 3);
    expect(await lease()).toMatchObject({ holderIdentity: third.identity(), leaseTransitions: 2 });

    // It wakes up, finds by its own clock that its time is over, and ends: one is left to write.
    process.kill(second.pid, 'SIGCONT');
    await expect
      .poll(() => second.output(), patience)
      .toContain('the lease is lost: it could not be renewed for 8 s');
    expect(await second.exited).toEqual([1, null]);
    const before = await passes(third);
    await change('acme', 4);
    await expect.poll(() => passes(third), patience).toBeGreaterThan(before ?? 0);
    expect(await lease()).toMatchObject({ holderIdentity: third.identity(), leaseTransitions: 2 });
  });
});
